::core::compile_error! {
    "unknown attribute `jsn`, did you mean `json`?"
}
::core::compile_error! {
    "`index` and `json` cannot be used together: equal values may have different JSON"
}
::core::compile_error! {
    "session fields must own their data: remove the lifetime"
}
::core::compile_error! {
    "`set_name` is also the name of the setter of `name`: rename this field, and keep its stored name with `#[session(rename = \"set_name\")]`"
}
::core::compile_error! {
    "an indexed field must be an `Option`: a plain value would list every session under the default"
}
::core::compile_error! {
    "`by_user` also finds sessions by `user`: choose another name with `index(by = \"…\")`"
}
/// The fields of a [`Visitor`] session, with a getter and a setter for each field.
struct VisitorFields {
    handle: ::session_runtime::__private::SessionHandle,
}
const _: () = {
    use ::session_runtime::__private as __session;
    impl VisitorFields {
        /// Returns the field `name`. Await it to read the value.
        fn name(&self) -> __session::Field<'_, Cow<'static, str>> {
            ::core::unreachable!()
        }
        /// Sets the field `name`.
        fn set_name<__V: __session::IntoField<Cow<'static, str>>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            ::core::unreachable!()
        }
        /// Returns the field `user`. Await it to read the value.
        fn user(&self) -> __session::Field<'_, Option<u64>> {
            ::core::unreachable!()
        }
        /// Sets the field `user`.
        fn set_user<__V: __session::IntoField<Option<u64>>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            ::core::unreachable!()
        }
        /// Returns the field `plain`. Await it to read the value.
        fn plain(&self) -> __session::Field<'_, u64> {
            ::core::unreachable!()
        }
        /// Sets the field `plain`.
        fn set_plain<__V: __session::IntoField<u64>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            ::core::unreachable!()
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
    impl Visitor<'static> {
        /// Finds sessions by the field `user`, with `Sessions::find`.
        fn by_user<__V: __session::IntoField<u64>>(
            value: __V,
        ) -> __session::IndexQuery<Self> {
            ::core::unreachable!()
        }
    }
    #[automatically_derived]
    impl __session::Schema for Visitor<'static> {
        type Fields = VisitorFields;
        const STORED_NAMES: &'static [&'static ::core::primitive::str] = &[];
        fn fields(handle: __session::SessionHandle) -> Self::Fields {
            VisitorFields { handle }
        }
        fn handle(fields: &Self::Fields) -> &__session::SessionHandle {
            &fields.handle
        }
        fn load(
            values: &mut __session::Values<'_>,
        ) -> ::core::result::Result<Self, __session::Error> {
            ::core::unreachable!()
        }
        fn save(
            record: &Self,
            changes: &mut __session::Changes,
        ) -> ::core::result::Result<(), __session::Error> {
            ::core::unreachable!()
        }
    }
};
