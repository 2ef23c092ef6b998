/// The fields of a [`Auth`] session, with a getter and a setter for each field.
pub struct AuthFields<T>
where
    T: 'static,
{
    handle: ::session_runtime::__private::SessionHandle,
    parameters: ::core::marker::PhantomData<fn() -> (*const T,)>,
}
const _: () = {
    use ::session_runtime::__private as __session;
    struct __Specs<T>
    where
        T: 'static,
    {
        user: __session::FieldSpec<Option<u64>>,
        r#type: __session::FieldSpec<Option<T>>,
        count: __session::FieldSpec<u64>,
        __parameters: ::core::marker::PhantomData<fn() -> (*const T,)>,
    }
    impl<T> Auth<T>
    where
        T: 'static,
        Option<T>: __session::Stored + __session::FieldDefault,
        T: __session::IndexValue,
    {
        const __SESSION_SPECS: &'static __Specs<T> = &__Specs {
            user: __session::FieldSpec::<
                Option<u64>,
            >::with_index(__session::value::<Option<u64>, _>("user").cached(), "user"),
            r#type: __session::FieldSpec::<
                Option<T>,
            >::with_index(
                __session::value::<Option<T>, _>("type").with_alias("org"),
                "tenant-2",
            ),
            count: __session::value::<u64, _>("count"),
            __parameters: ::core::marker::PhantomData,
        };
    }
    impl<T> AuthFields<T>
    where
        T: 'static,
        Option<T>: __session::Stored + __session::FieldDefault,
        T: __session::IndexValue,
    {
        /// The user who is logged in.
        pub fn user(&self) -> __session::Field<'_, Option<u64>> {
            __session::field(&self.handle, &<Auth<T>>::__SESSION_SPECS.user)
        }
        /// Sets the field `user`.
        ///
        /// The user who is logged in.
        pub fn set_user<__V: __session::IntoField<Option<u64>>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Auth<T>>::__SESSION_SPECS.user, value)
        }
        /// Returns the field `type`. Await it to read the value.
        fn r#type(&self) -> __session::Field<'_, Option<T>> {
            __session::field(&self.handle, &<Auth<T>>::__SESSION_SPECS.r#type)
        }
        /// Sets the field `type`.
        fn set_type<__V: __session::IntoField<Option<T>>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Auth<T>>::__SESSION_SPECS.r#type, value)
        }
        /// Returns the field `count`. Await it to read the value.
        fn count(&self) -> __session::Field<'_, u64> {
            __session::field(&self.handle, &<Auth<T>>::__SESSION_SPECS.count)
        }
        /// Sets the field `count`.
        fn set_count<__V: __session::IntoField<u64>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Auth<T>>::__SESSION_SPECS.count, value)
        }
    }
    #[automatically_derived]
    impl<T> ::core::fmt::Debug for AuthFields<T>
    where
        T: 'static,
    {
        fn fmt(
            &self,
            formatter: &mut ::core::fmt::Formatter<'_>,
        ) -> ::core::fmt::Result {
            formatter.debug_tuple("AuthFields").field(&self.handle).finish()
        }
    }
    impl<T> Auth<T>
    where
        T: 'static,
        Option<T>: __session::Stored + __session::FieldDefault,
        T: __session::IndexValue,
    {
        /// Finds sessions by the field `user`, with `Sessions::find`.
        ///
        /// The user who is logged in.
        pub fn by_user<__V: __session::IntoField<u64>>(
            value: __V,
        ) -> __session::IndexQuery<Self> {
            let _ = __session::FieldSpec::<Option<u64>>::with_index;
            let find = __session::index_query;
            find(&<Auth<T>>::__SESSION_SPECS.user, value)
        }
        /// Finds sessions by the field `type`, with `Sessions::find`.
        fn of_tenant<__V: __session::IntoField<T>>(
            value: __V,
        ) -> __session::IndexQuery<Self> {
            let _ = __session::FieldSpec::<Option<T>>::with_index;
            let find = __session::index_query;
            find(&<Auth<T>>::__SESSION_SPECS.r#type, value)
        }
    }
    #[automatically_derived]
    impl<T> __session::Schema for Auth<T>
    where
        T: 'static,
        Option<T>: __session::Stored + __session::FieldDefault,
        T: __session::IndexValue,
    {
        type Fields = AuthFields<T>;
        const STORED_NAMES: &'static [&'static ::core::primitive::str] = &[
            "user",
            "type",
            "count",
        ];
        const READ_NAMES: &'static [&'static ::core::primitive::str] = &[
            "user",
            "type",
            "org",
            "count",
        ];
        const INDEXED: &'static [(
            &'static ::core::primitive::str,
            &'static ::core::primitive::str,
        )] = &[("user", "user"), ("tenant-2", "type")];
        const SEARCHED: &'static [&'static dyn __session::SearchedField] = &[
            {
                let _ = __session::FieldSpec::<Option<u64>>::with_index;
                let find = __session::searched_field;
                find(&<Auth<T>>::__SESSION_SPECS.user)
            },
            {
                let _ = __session::FieldSpec::<Option<T>>::with_index;
                let find = __session::searched_field;
                find(&<Auth<T>>::__SESSION_SPECS.r#type)
            },
        ];
        fn fields(handle: __session::SessionHandle) -> Self::Fields {
            AuthFields {
                handle,
                parameters: ::core::marker::PhantomData,
            }
        }
        fn handle(fields: &Self::Fields) -> &__session::SessionHandle {
            &fields.handle
        }
        fn load(
            values: &mut __session::Values<'_>,
        ) -> ::core::result::Result<Self, __session::Error> {
            ::core::result::Result::Ok(Self {
                user: values.take(&<Auth<T>>::__SESSION_SPECS.user)?,
                r#type: values.take(&<Auth<T>>::__SESSION_SPECS.r#type)?,
                count: values.take(&<Auth<T>>::__SESSION_SPECS.count)?,
            })
        }
        fn save(
            record: &Self,
            changes: &mut __session::Changes,
        ) -> ::core::result::Result<(), __session::Error> {
            changes.set(&<Auth<T>>::__SESSION_SPECS.user, &record.user)?;
            changes.set(&<Auth<T>>::__SESSION_SPECS.r#type, &record.r#type)?;
            changes.set(&<Auth<T>>::__SESSION_SPECS.count, &record.count)?;
            ::core::result::Result::Ok(())
        }
    }
};
