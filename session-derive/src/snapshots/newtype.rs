const _: () = {
    use renamed::__private as __session;
    #[automatically_derived]
    impl<T: Clone> __session::FieldValue for Of<T>
    where
        Wrapper<T>: __session::FieldValue,
        T: 'static,
    {
        fn decode(
            stored: __session::Bytes,
        ) -> ::core::result::Result<Self, __session::InvalidValue> {
            ::core::result::Result::map(
                <Wrapper<T> as __session::FieldValue>::decode(stored),
                Self,
            )
        }
        fn encode(
            &self,
        ) -> ::core::result::Result<__session::Bytes, __session::InvalidValue> {
            <Wrapper<T> as __session::FieldValue>::encode(&self.0)
        }
    }
    #[automatically_derived]
    impl<T: Clone> __session::FieldDefault for Of<T>
    where
        for<'__session> Wrapper<T>: __session::FieldDefault,
    {
        fn field_default() -> Self {
            Self(<Wrapper<T> as __session::FieldDefault>::field_default())
        }
    }
};
