/// The fields of a [`Visitor`] session, with a getter and a setter for each field.
struct VisitorFields {
    handle: ::session_runtime::__private::SessionHandle,
}
const _: () = {
    use ::session_runtime::__private as __session;
    struct __Specs {
        theme: __session::FieldSpec<String>,
        language: __session::FieldSpec<String>,
    }
    impl Visitor {
        const __SESSION_SPECS: &'static __Specs = &__Specs {
            theme: __session::value::<String, _>("theme").with_alias("colours").cached(),
            language: __session::value::<String, _>("language").cached(),
        };
    }
    impl VisitorFields {
        /// Returns the field `theme`. Await it to read the value.
        fn theme(&self) -> __session::Field<'_, String> {
            __session::field(&self.handle, &<Visitor>::__SESSION_SPECS.theme)
        }
        /// Sets the field `theme`.
        fn set_theme<__V: __session::IntoField<String>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Visitor>::__SESSION_SPECS.theme, value)
        }
        /// Returns the field `language`. Await it to read the value.
        fn language(&self) -> __session::Field<'_, String> {
            __session::field(&self.handle, &<Visitor>::__SESSION_SPECS.language)
        }
        /// Sets the field `language`.
        fn set_language<__V: __session::IntoField<String>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Visitor>::__SESSION_SPECS.language, value)
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for VisitorFields {
        fn fmt(
            &self,
            formatter: &mut ::core::fmt::Formatter<'_>,
        ) -> ::core::fmt::Result {
            formatter.debug_tuple("VisitorFields").field(&self.handle).finish()
        }
    }
    #[automatically_derived]
    impl __session::Schema for Visitor {
        type Fields = VisitorFields;
        const STORED_NAMES: &'static [&'static ::core::primitive::str] = &[
            "theme",
            "language",
        ];
        const READ_NAMES: &'static [&'static ::core::primitive::str] = &[
            "theme",
            "colours",
            "language",
        ];
        const CACHED: ::core::primitive::bool = true;
        fn fields(handle: __session::SessionHandle) -> Self::Fields {
            VisitorFields { handle }
        }
        fn handle(fields: &Self::Fields) -> &__session::SessionHandle {
            &fields.handle
        }
        fn load(
            values: &mut __session::Values<'_>,
        ) -> ::core::result::Result<Self, __session::Error> {
            ::core::result::Result::Ok(Self {
                theme: values.take(&<Visitor>::__SESSION_SPECS.theme)?,
                language: values.take(&<Visitor>::__SESSION_SPECS.language)?,
                tries: __session::skipped::<u8>(),
            })
        }
        fn save(
            record: &Self,
            changes: &mut __session::Changes,
        ) -> ::core::result::Result<(), __session::Error> {
            changes.set(&<Visitor>::__SESSION_SPECS.theme, &record.theme)?;
            changes.set(&<Visitor>::__SESSION_SPECS.language, &record.language)?;
            ::core::result::Result::Ok(())
        }
    }
};
