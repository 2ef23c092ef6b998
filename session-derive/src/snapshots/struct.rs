/// The fields of a [`Visitor`] session, with a getter and a setter for each field.
pub struct VisitorFields {
    handle: ::session_runtime::__private::SessionHandle,
}
const _: () = {
    use ::session_runtime::__private as __session;
    struct __Specs {
        count: __session::FieldSpec<u64>,
        r#type: __session::FieldSpec<Option<String>>,
        properties: __session::FieldSpec<Properties>,
    }
    impl Visitor {
        const __SESSION_SPECS: &'static __Specs = &__Specs {
            count: __session::value::<u64, _>("count"),
            r#type: __session::value::<Option<String>, _>("called").with_alias("kind"),
            properties: __session::json::<Properties, _>("properties"),
        };
    }
    impl VisitorFields {
        /// How often they came.
        pub fn count(&self) -> __session::Field<'_, u64> {
            __session::field(&self.handle, &<Visitor>::__SESSION_SPECS.count)
        }
        /// Sets the field `count`.
        ///
        /// How often they came.
        pub fn set_count<__V: __session::IntoField<u64>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Visitor>::__SESSION_SPECS.count, value)
        }
        /// Returns the field `type`. Await it to read the value.
        fn r#type(&self) -> __session::Field<'_, Option<String>> {
            __session::field(&self.handle, &<Visitor>::__SESSION_SPECS.r#type)
        }
        /// Sets the field `type`.
        fn set_type<__V: __session::IntoField<Option<String>>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Visitor>::__SESSION_SPECS.r#type, value)
        }
        /// Returns the field `properties`. Await it to read the value.
        fn properties(&self) -> __session::Field<'_, Properties> {
            __session::field(&self.handle, &<Visitor>::__SESSION_SPECS.properties)
        }
        /// Sets the field `properties`.
        fn set_properties<__V: __session::IntoField<Properties>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Visitor>::__SESSION_SPECS.properties, value)
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
            "count",
            "called",
            "properties",
        ];
        const READ_NAMES: &'static [&'static ::core::primitive::str] = &[
            "count",
            "called",
            "kind",
            "properties",
        ];
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
                count: values.take(&<Visitor>::__SESSION_SPECS.count)?,
                r#type: values.take(&<Visitor>::__SESSION_SPECS.r#type)?,
                properties: values.take(&<Visitor>::__SESSION_SPECS.properties)?,
            })
        }
        fn save(
            record: &Self,
            changes: &mut __session::Changes,
        ) -> ::core::result::Result<(), __session::Error> {
            changes.set(&<Visitor>::__SESSION_SPECS.count, &record.count)?;
            changes.set(&<Visitor>::__SESSION_SPECS.r#type, &record.r#type)?;
            changes.set(&<Visitor>::__SESSION_SPECS.properties, &record.properties)?;
            ::core::result::Result::Ok(())
        }
    }
};
