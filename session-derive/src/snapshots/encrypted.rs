/// The fields of a [`Account`] session, with a getter and a setter for each field.
struct AccountFields {
    handle: ::session_runtime::__private::SessionHandle,
}
const _: () = {
    use ::session_runtime::__private as __session;
    struct __Specs {
        email: __session::FieldSpec<Option<String>>,
        address: __session::FieldSpec<Address>,
        customer: __session::FieldSpec<Option<u64>>,
        pin: __session::FieldSpec<u64>,
        count: __session::FieldSpec<u64>,
    }
    impl Account {
        const __SESSION_SPECS: &'static __Specs = &__Specs {
            email: __session::encrypted(
                __session::value::<Option<String>, _>("email"),
                1u16,
                false,
                false,
            ),
            address: __session::encrypted(
                __session::json::<Address, _>("address").cached(),
                64u16,
                false,
                false,
            ),
            customer: __session::encrypted(
                __session::FieldSpec::<
                    Option<u64>,
                >::with_index(
                    __session::value::<Option<u64>, _>("customer").with_alias("number"),
                    "customer",
                ),
                1u16,
                true,
                false,
            ),
            pin: __session::encrypted(
                __session::with_or::<
                    u64,
                >(
                        "pin",
                        |stored| codec::decode(stored),
                        |value| ::core::result::Result::map(
                            codec::encode(value),
                            ::core::option::Option::Some,
                        ),
                        || -> u64 { 7 },
                    )
                    .with_ttl(::core::time::Duration::from_millis(300000u64)),
                16u16,
                true,
                false,
            ),
            count: __session::value::<u64, _>("count"),
        };
    }
    impl AccountFields {
        /// Returns the encrypted field `email`. Await it to read the value.
        fn email(&self) -> __session::Field<'_, Option<String>, __session::Encrypted> {
            __session::encrypted_field(&self.handle, &<Account>::__SESSION_SPECS.email)
        }
        /// Sets the field `email`.
        fn set_email<__V: __session::IntoField<Option<String>>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Account>::__SESSION_SPECS.email, value)
        }
        /// Documented.
        fn address(&self) -> __session::Field<'_, Address, __session::Encrypted> {
            __session::encrypted_field(&self.handle, &<Account>::__SESSION_SPECS.address)
        }
        /// Sets the field `address`.
        ///
        /// Documented.
        fn set_address<__V: __session::IntoField<Address>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Account>::__SESSION_SPECS.address, value)
        }
        /// Returns the encrypted field `customer`. Await it to read the value.
        fn customer(&self) -> __session::Field<'_, Option<u64>, __session::Encrypted> {
            __session::encrypted_field(
                &self.handle,
                &<Account>::__SESSION_SPECS.customer,
            )
        }
        /// Sets the field `customer`.
        fn set_customer<__V: __session::IntoField<Option<u64>>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Account>::__SESSION_SPECS.customer, value)
        }
        /// Returns the encrypted field `pin`. Await it to read the value.
        fn pin(&self) -> __session::Field<'_, u64, __session::Encrypted> {
            __session::encrypted_field(&self.handle, &<Account>::__SESSION_SPECS.pin)
        }
        /// Sets the field `pin`.
        fn set_pin<__V: __session::IntoField<u64>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Account>::__SESSION_SPECS.pin, value)
        }
        /// Returns the field `count`. Await it to read the value.
        fn count(&self) -> __session::Field<'_, u64> {
            __session::field(&self.handle, &<Account>::__SESSION_SPECS.count)
        }
        /// Sets the field `count`.
        fn set_count<__V: __session::IntoField<u64>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Account>::__SESSION_SPECS.count, value)
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for AccountFields {
        fn fmt(
            &self,
            formatter: &mut ::core::fmt::Formatter<'_>,
        ) -> ::core::fmt::Result {
            formatter.debug_tuple("AccountFields").field(&self.handle).finish()
        }
    }
    impl Account {
        /// Finds sessions by the field `customer`, with `Sessions::find`.
        fn by_customer<__V: __session::IntoField<u64>>(
            value: __V,
        ) -> __session::IndexQuery<Self> {
            let _ = __session::FieldSpec::<Option<u64>>::with_index;
            let find = __session::index_query;
            find(&<Account>::__SESSION_SPECS.customer, value)
        }
    }
    #[automatically_derived]
    impl __session::Schema for Account {
        type Fields = AccountFields;
        const STORED_NAMES: &'static [&'static ::core::primitive::str] = &[
            "email",
            "address",
            "customer",
            "pin",
            "count",
        ];
        const READ_NAMES: &'static [&'static ::core::primitive::str] = &[
            "email",
            "address",
            "customer",
            "number",
            "pin",
            "count",
        ];
        const HAS_TTL: ::core::primitive::bool = true;
        const INDEXED: &'static [(
            &'static ::core::primitive::str,
            &'static ::core::primitive::str,
        )] = &[("customer", "customer")];
        const ENCRYPTED: &'static [__session::EncryptedName] = &[
            __session::EncryptedName::new(
                "email",
                ::core::option::Option::None,
                ::core::option::Option::None,
                1u16,
                false,
                false,
            ),
            __session::EncryptedName::new(
                "address",
                ::core::option::Option::None,
                ::core::option::Option::None,
                64u16,
                false,
                false,
            ),
            __session::EncryptedName::new(
                "customer",
                ::core::option::Option::Some("number"),
                ::core::option::Option::Some("customer"),
                1u16,
                true,
                false,
            ),
            __session::EncryptedName::new(
                "pin",
                ::core::option::Option::None,
                ::core::option::Option::None,
                16u16,
                true,
                false,
            ),
        ];
        const SEARCHED: &'static [&'static dyn __session::SearchedField] = &[
            {
                let _ = __session::FieldSpec::<Option<u64>>::with_index;
                let find = __session::searched_field;
                find(&<Account>::__SESSION_SPECS.customer)
            },
        ];
        fn fields(handle: __session::SessionHandle) -> Self::Fields {
            AccountFields { handle }
        }
        fn handle(fields: &Self::Fields) -> &__session::SessionHandle {
            &fields.handle
        }
        fn load(
            values: &mut __session::Values<'_>,
        ) -> ::core::result::Result<Self, __session::Error> {
            ::core::result::Result::Ok(Self {
                email: values.take(&<Account>::__SESSION_SPECS.email)?,
                address: values.take(&<Account>::__SESSION_SPECS.address)?,
                customer: values.take(&<Account>::__SESSION_SPECS.customer)?,
                pin: values.take(&<Account>::__SESSION_SPECS.pin)?,
                count: values.take(&<Account>::__SESSION_SPECS.count)?,
            })
        }
        fn save(
            record: &Self,
            changes: &mut __session::Changes,
        ) -> ::core::result::Result<(), __session::Error> {
            changes.set(&<Account>::__SESSION_SPECS.email, &record.email)?;
            changes.set(&<Account>::__SESSION_SPECS.address, &record.address)?;
            changes.set(&<Account>::__SESSION_SPECS.customer, &record.customer)?;
            changes.set(&<Account>::__SESSION_SPECS.pin, &record.pin)?;
            changes.set(&<Account>::__SESSION_SPECS.count, &record.count)?;
            ::core::result::Result::Ok(())
        }
    }
};
