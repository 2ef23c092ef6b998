/// The fields of a [`Auth`] session, with a getter and a setter for each field.
struct AuthFields<T>
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
        r#type: __session::FieldSpec<T>,
        hidden: __session::FieldSpec<bool>,
        __parameters: ::core::marker::PhantomData<fn() -> (*const T,)>,
    }
    impl<T> Auth<T>
    where
        T: 'static,
        T: __session::Serialize + __session::DeserializeOwned + ::core::default::Default,
    {
        const __SESSION_SPECS: &'static __Specs<T> = &__Specs {
            user: __session::FieldSpec::<
                Option<u64>,
            >::with_index(__session::value::<Option<u64>, _>("user"), "user"),
            r#type: __session::json::<T, _>("type"),
            hidden: __session::value::<bool, _>("hidden"),
            __parameters: ::core::marker::PhantomData,
        };
    }
    impl<T> AuthFields<T>
    where
        T: 'static,
        T: __session::Serialize + __session::DeserializeOwned + ::core::default::Default,
    {
        /// Returns the field `user`. Await it to read the value.
        fn user(&self) -> __session::Field<'_, Option<u64>> {
            __session::field(&self.handle, &<Auth<T>>::__SESSION_SPECS.user)
        }
        /// Sets the field `user`.
        fn set_user<__V: __session::IntoField<Option<u64>>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Auth<T>>::__SESSION_SPECS.user, value)
        }
        /// Returns the field `type`. Await it to read the value.
        fn r#type(&self) -> __session::Field<'_, T> {
            __session::field(&self.handle, &<Auth<T>>::__SESSION_SPECS.r#type)
        }
        /// Sets the field `type`.
        fn set_type<__V: __session::IntoField<T>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Auth<T>>::__SESSION_SPECS.r#type, value)
        }
        /// Returns the field `hidden`. Await it to read the value.
        fn hidden(&self) -> __session::Field<'_, bool> {
            __session::field(&self.handle, &<Auth<T>>::__SESSION_SPECS.hidden)
        }
        /// Sets the field `hidden`.
        fn set_hidden<__V: __session::IntoField<bool>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Auth<T>>::__SESSION_SPECS.hidden, value)
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
        T: __session::Serialize + __session::DeserializeOwned + ::core::default::Default,
    {
        /// Finds sessions by the field `user`, with `Sessions::find`.
        fn by_user<__V: __session::IntoField<u64>>(
            value: __V,
        ) -> __session::IndexQuery<Self> {
            let _ = __session::FieldSpec::<Option<u64>>::with_index;
            let find = __session::index_query;
            find(&<Auth<T>>::__SESSION_SPECS.user, value)
        }
    }
    #[automatically_derived]
    impl<T> __session::Schema for Auth<T>
    where
        T: 'static,
        T: __session::Serialize + __session::DeserializeOwned + ::core::default::Default,
    {
        type Fields = AuthFields<T>;
        const STORED_NAMES: &'static [&'static ::core::primitive::str] = &[
            "user",
            "type",
            "hidden",
        ];
        const INDEXED: &'static [(
            &'static ::core::primitive::str,
            &'static ::core::primitive::str,
        )] = &[("user", "user")];
        const SHOWN: &'static [&'static dyn __session::ShownField] = &[
            &<Auth<T>>::__SESSION_SPECS.user,
            &<Auth<T>>::__SESSION_SPECS.r#type,
        ];
        const SEARCHED: &'static [&'static dyn __session::SearchedField] = &[
            {
                let _ = __session::FieldSpec::<Option<u64>>::with_index;
                let find = __session::searched_field;
                find(&<Auth<T>>::__SESSION_SPECS.user)
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
                hidden: values.take(&<Auth<T>>::__SESSION_SPECS.hidden)?,
            })
        }
        fn save(
            record: &Self,
            changes: &mut __session::Changes,
        ) -> ::core::result::Result<(), __session::Error> {
            changes.set(&<Auth<T>>::__SESSION_SPECS.user, &record.user)?;
            changes.set(&<Auth<T>>::__SESSION_SPECS.r#type, &record.r#type)?;
            changes.set(&<Auth<T>>::__SESSION_SPECS.hidden, &record.hidden)?;
            ::core::result::Result::Ok(())
        }
    }
};
