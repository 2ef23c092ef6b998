const _: () = {
    use ::session_runtime::__private as __session;
    #[automatically_derived]
    impl __session::FieldValue for Theme {
        fn decode(
            stored: __session::Bytes,
        ) -> ::core::result::Result<Self, __session::InvalidValue> {
            match &stored[..] {
                b"very-light" => ::core::result::Result::Ok(Self::VeryLight),
                b"night" => ::core::result::Result::Ok(Self::Dark),
                _ => {
                    ::core::result::Result::Err(
                        __session::InvalidValue::new(
                            "expected one of `very-light`, `night`",
                        ),
                    )
                }
            }
        }
        fn encode(
            &self,
        ) -> ::core::result::Result<__session::Bytes, __session::InvalidValue> {
            ::core::result::Result::Ok(
                __session::Bytes::from_static(
                    match self {
                        Self::VeryLight => b"very-light",
                        Self::Dark => b"night",
                    },
                ),
            )
        }
    }
    #[automatically_derived]
    impl __session::FieldDefault for Theme {
        fn field_default() -> Self {
            Self::VeryLight
        }
    }
};
