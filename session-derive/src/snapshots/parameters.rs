/// The fields of a [`Cart`] session, with a getter and a setter for each field.
struct Parts<T: Clone = u8, const N: usize = 2>
where
    T: Debug,
    T: 'static,
{
    handle: renamed::__private::SessionHandle,
    parameters: ::core::marker::PhantomData<fn() -> (*const T,)>,
}
const _: () = {
    use renamed::__private as __session;
    struct __Specs<T: Clone, const N: usize>
    where
        T: Debug,
        T: 'static,
    {
        all_items: __session::FieldSpec<Vec<T>>,
        by_place: __session::FieldSpec<Option<[T; N]>>,
        parents: __session::FieldSpec<Vec<Cart<T, N>>>,
        last: __session::FieldSpec<T>,
        first: __session::FieldSpec<T>,
        letter: __session::FieldSpec<char>,
        __parameters: ::core::marker::PhantomData<fn() -> (*const T,)>,
    }
    impl<T: Clone, const N: usize> Cart<T, N>
    where
        T: Debug,
        T: 'static,
        Vec<
            T,
        >: __session::Serialize + __session::DeserializeOwned + ::core::default::Default,
        [T; N]: __session::Serialize + __session::DeserializeOwned,
        T: __session::Stored + __session::FieldDefault,
        T: __session::Stored + ::core::default::Default,
    {
        const __SESSION_SPECS: &'static __Specs<T, N> = &__Specs {
            all_items: __session::json::<Vec<T>, _>("cart.allItems")
                .default_on_decode_error(),
            by_place: __session::json_option::<[T; N], _>("cart.byPlace")
                .default_on_decode_error(),
            parents: __session::json_or::<
                Vec<Self>,
                _,
            >("cart.parents", || -> Vec<Self> { Vec::new() })
                .default_on_decode_error(),
            last: __session::value::<T, _>("cart.last").default_on_decode_error(),
            first: __session::value_or::<
                T,
                _,
            >("cart.first", <T as ::core::default::Default>::default),
            letter: __session::value_or::<
                char,
                _,
            >("cart.letter", || -> char { if N > 1 { 'a' } else { 'b' } })
                .default_on_decode_error(),
            __parameters: ::core::marker::PhantomData,
        };
    }
    impl<T: Clone, const N: usize> Parts<T, N>
    where
        T: Debug,
        T: 'static,
        Vec<
            T,
        >: __session::Serialize + __session::DeserializeOwned + ::core::default::Default,
        [T; N]: __session::Serialize + __session::DeserializeOwned,
        T: __session::Stored + __session::FieldDefault,
        T: __session::Stored + ::core::default::Default,
    {
        /// Returns the field `all_items`. Await it to read the value.
        fn all_items(&self) -> __session::Field<'_, Vec<T>> {
            __session::field(&self.handle, &<Cart<T, N>>::__SESSION_SPECS.all_items)
        }
        /// Sets the field `all_items`.
        fn set_all_items<__V: __session::IntoField<Vec<T>>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Cart<T, N>>::__SESSION_SPECS.all_items, value)
        }
        /// Returns the field `by_place`. Await it to read the value.
        fn by_place(&self) -> __session::Field<'_, Option<[T; N]>> {
            __session::field(&self.handle, &<Cart<T, N>>::__SESSION_SPECS.by_place)
        }
        /// Sets the field `by_place`.
        fn set_by_place<__V: __session::IntoField<Option<[T; N]>>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Cart<T, N>>::__SESSION_SPECS.by_place, value)
        }
        /// Returns the field `parents`. Await it to read the value.
        fn parents(&self) -> __session::Field<'_, Vec<Cart<T, N>>> {
            __session::field(&self.handle, &<Cart<T, N>>::__SESSION_SPECS.parents)
        }
        /// Sets the field `parents`.
        fn set_parents<__V: __session::IntoField<Vec<Cart<T, N>>>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Cart<T, N>>::__SESSION_SPECS.parents, value)
        }
        /// Returns the field `last`. Await it to read the value.
        fn last(&self) -> __session::Field<'_, T> {
            __session::field(&self.handle, &<Cart<T, N>>::__SESSION_SPECS.last)
        }
        /// Sets the field `last`.
        fn set_last<__V: __session::IntoField<T>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Cart<T, N>>::__SESSION_SPECS.last, value)
        }
        /// Returns the field `first`. Await it to read the value.
        fn first(&self) -> __session::Field<'_, T> {
            __session::field(&self.handle, &<Cart<T, N>>::__SESSION_SPECS.first)
        }
        /// Sets the field `first`.
        fn set_first<__V: __session::IntoField<T>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Cart<T, N>>::__SESSION_SPECS.first, value)
        }
        /// Returns the field `letter`. Await it to read the value.
        fn letter(&self) -> __session::Field<'_, char> {
            __session::field(&self.handle, &<Cart<T, N>>::__SESSION_SPECS.letter)
        }
        /// Sets the field `letter`.
        fn set_letter<__V: __session::IntoField<char>>(
            &self,
            value: __V,
        ) -> __session::Operation<'_, ()> {
            __session::set(&self.handle, &<Cart<T, N>>::__SESSION_SPECS.letter, value)
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::core::fmt::Debug for Parts<T, N>
    where
        T: Debug,
        T: 'static,
    {
        fn fmt(
            &self,
            formatter: &mut ::core::fmt::Formatter<'_>,
        ) -> ::core::fmt::Result {
            formatter.debug_tuple("Parts").field(&self.handle).finish()
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> __session::Schema for Cart<T, N>
    where
        T: Debug,
        T: 'static,
        Vec<
            T,
        >: __session::Serialize + __session::DeserializeOwned + ::core::default::Default,
        [T; N]: __session::Serialize + __session::DeserializeOwned,
        T: __session::Stored + __session::FieldDefault,
        T: __session::Stored + ::core::default::Default,
    {
        type Fields = Parts<T, N>;
        const STORED_NAMES: &'static [&'static ::core::primitive::str] = &[
            "cart.allItems",
            "cart.byPlace",
            "cart.parents",
            "cart.last",
            "cart.first",
            "cart.letter",
        ];
        fn fields(handle: __session::SessionHandle) -> Self::Fields {
            Parts {
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
                all_items: values.take(&<Cart<T, N>>::__SESSION_SPECS.all_items)?,
                by_place: values.take(&<Cart<T, N>>::__SESSION_SPECS.by_place)?,
                parents: values.take(&<Cart<T, N>>::__SESSION_SPECS.parents)?,
                last: values.take(&<Cart<T, N>>::__SESSION_SPECS.last)?,
                first: values.take(&<Cart<T, N>>::__SESSION_SPECS.first)?,
                letter: values.take(&<Cart<T, N>>::__SESSION_SPECS.letter)?,
            })
        }
        fn save(
            record: &Self,
            changes: &mut __session::Changes,
        ) -> ::core::result::Result<(), __session::Error> {
            changes.set(&<Cart<T, N>>::__SESSION_SPECS.all_items, &record.all_items)?;
            changes.set(&<Cart<T, N>>::__SESSION_SPECS.by_place, &record.by_place)?;
            changes.set(&<Cart<T, N>>::__SESSION_SPECS.parents, &record.parents)?;
            changes.set(&<Cart<T, N>>::__SESSION_SPECS.last, &record.last)?;
            changes.set(&<Cart<T, N>>::__SESSION_SPECS.first, &record.first)?;
            changes.set(&<Cart<T, N>>::__SESSION_SPECS.letter, &record.letter)?;
            ::core::result::Result::Ok(())
        }
    }
};
