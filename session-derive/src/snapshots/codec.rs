/// The fields of a [`Account`] session, with a getter and a setter for each field.
struct AccountFields<T>
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
        key: __session::FieldSpec<[u8; 32]>,
        next: __session::FieldSpec<Option<T>>,
        __parameters: ::core::marker::PhantomData<fn() -> (*const T,)>,
    }
    impl<T> Account<T>
    where
        T: 'static,
        Vec<T>: ::core::default::Default,
    {
        const __SESSION_SPECS: &'static __Specs<T> = &__Specs {
            key: __session::with::<
                [u8; 32],
            >(
                    "key",
                    |stored| codecs::hex::decode(stored),
                    |value| ::core::result::Result::map(
                        codecs::hex::encode(value),
                        ::core::option::Option::Some,
                    ),
                )
                .with_ttl(::core::time::Duration::from_millis(300000u64)),
            next: __session::with_or::<
                Option<T>,
            >(
                "next",
                |stored| ::core::result::Result::map(
                    codecs::hex::decode(stored),
                    ::core::option::Option::Some,
                ),
                |value| match value {
                    ::core::option::Option::Some(value) => {
                        ::core::result::Result::map(
                            codecs::hex::encode(value),
                            ::core::option::Option::Some,
                        )
                    }
                    ::core::option::Option::None => {
                        ::core::result::Result::Ok(::core::option::Option::None)
                    }
                },
                || -> Option<T> { None },
            ),
            __parameters: ::core::marker::PhantomData,
        };
    }
    impl<T> AccountFields<T>
    where
        T: 'static,
        Vec<T>: ::core::default::Default,
    {
        /// Returns the field `key`. Await it to read the value.
        fn key(&self) -> __session::Field<'_, [u8; 32]> {
            __session::field(&self.handle, &<Account<T>>::__SESSION_SPECS.key)
        }
        /// Sets the field `key`.
        fn set_key<__V: __session::IntoField<[u8; 32]>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Account<T>>::__SESSION_SPECS.key, value)
        }
        /// Returns the field `next`. Await it to read the value.
        fn next(&self) -> __session::Field<'_, Option<T>> {
            __session::field(&self.handle, &<Account<T>>::__SESSION_SPECS.next)
        }
        /// Sets the field `next`.
        fn set_next<__V: __session::IntoField<Option<T>>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Account<T>>::__SESSION_SPECS.next, value)
        }
    }
    #[automatically_derived]
    impl<T> ::core::fmt::Debug for AccountFields<T>
    where
        T: 'static,
    {
        fn fmt(
            &self,
            formatter: &mut ::core::fmt::Formatter<'_>,
        ) -> ::core::fmt::Result {
            formatter.debug_tuple("AccountFields").field(&self.handle).finish()
        }
    }
    #[automatically_derived]
    impl<T> __session::Schema for Account<T>
    where
        T: 'static,
        Vec<T>: ::core::default::Default,
    {
        type Fields = AccountFields<T>;
        const STORED_NAMES: &'static [&'static ::core::primitive::str] = &[
            "key",
            "next",
        ];
        const HAS_TTL: ::core::primitive::bool = true;
        fn fields(handle: __session::SessionHandle) -> Self::Fields {
            AccountFields {
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
                key: values.take(&<Account<T>>::__SESSION_SPECS.key)?,
                next: values.take(&<Account<T>>::__SESSION_SPECS.next)?,
                cache: __session::skipped::<Vec<T>>(),
                tries: __session::skipped_or(|| -> u8 { 3 }),
            })
        }
        fn save(
            record: &Self,
            changes: &mut __session::Changes,
        ) -> ::core::result::Result<(), __session::Error> {
            changes.set(&<Account<T>>::__SESSION_SPECS.key, &record.key)?;
            changes.set(&<Account<T>>::__SESSION_SPECS.next, &record.next)?;
            ::core::result::Result::Ok(())
        }
    }
};
