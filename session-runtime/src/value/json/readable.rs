//! Values that can be read back from their JSON text.

use std::fmt::Display;

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// A value that fails to serialize if its JSON text would not read back as the same value.
///
/// That applies to floats that are not finite, which `serde_json` writes as `null`. It also applies
/// to lists and maps nested more deeply than `serde_json` reads.
pub(super) struct Readable<'a, T: ?Sized> {
    value: &'a T,
    /// The number of further levels of lists and maps.
    levels: u8,
}

/// `serde_json` reads fewer than 128 levels.
const MOST_LEVELS: u8 = 127;

impl<'a, T: ?Sized> Readable<'a, T> {
    pub(super) fn new(value: &'a T) -> Self {
        Self { value, levels: MOST_LEVELS }
    }
}

impl<T: Serialize + ?Sized> Serialize for Readable<'_, T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Refusing { inner, levels: self.levels })
    }
}

/// A serializer, or a list or map in progress, that refuses unreadable values and passes everything
/// else on.
struct Refusing<S> {
    inner: S,
    levels: u8,
}

impl<S: Serializer> Refusing<S> {
    fn finite(
        self,
        is_finite: bool,
        write: impl FnOnce(S) -> Result<S::Ok, S::Error>,
    ) -> Result<S::Ok, S::Error> {
        if is_finite {
            write(self.inner)
        } else {
            Err(S::Error::custom("a float that is not finite"))
        }
    }

    /// Begins a list or a map one level down.
    fn open<C>(
        self,
        begin: impl FnOnce(S) -> Result<C, S::Error>,
    ) -> Result<Refusing<C>, S::Error> {
        let levels =
            self.levels.checked_sub(1).ok_or_else(|| S::Error::custom("too many levels"))?;
        Ok(Refusing { inner: begin(self.inner)?, levels })
    }
}

/// Implements methods that take a value of a single type.
macro_rules! hand_on {
    ($($method:ident: $type:ty),* $(,)?) => {$(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        }
    )*};
}

impl<S: Serializer> Serializer for Refusing<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Refusing<S::SerializeSeq>;
    type SerializeTuple = Refusing<S::SerializeTuple>;
    type SerializeTupleStruct = Refusing<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Refusing<S::SerializeTupleVariant>;
    type SerializeMap = Refusing<S::SerializeMap>;
    type SerializeStruct = Refusing<S::SerializeStruct>;
    type SerializeStructVariant = Refusing<S::SerializeStructVariant>;

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.finite(value.is_finite(), |inner| inner.serialize_f32(value))
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.finite(value.is_finite(), |inner| inner.serialize_f64(value))
    }

    hand_on! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_char: char,
        serialize_str: &str,
        serialize_bytes: &[u8],
        serialize_unit_struct: &'static str,
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&Readable { value, levels: self.levels })
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_struct(name, &Readable { value, levels: self.levels })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let Refusing { inner, levels } = self.open(Ok)?;
        inner.serialize_newtype_variant(name, index, variant, &Readable { value, levels })
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.open(|inner| inner.serialize_seq(length))
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.open(|inner| inner.serialize_tuple(length))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.open(|inner| inner.serialize_tuple_struct(name, length))
    }

    /// Begins a list within a map.
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.open(Ok)?.open(|inner| inner.serialize_tuple_variant(name, index, variant, length))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.open(|inner| inner.serialize_map(length))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        self.open(|inner| inner.serialize_struct(name, length))
    }

    /// Begins a map within a map.
    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.open(Ok)?.open(|inner| inner.serialize_struct_variant(name, index, variant, length))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// Implements the traits of lists, whose elements have no names.
macro_rules! lists {
    ($($list:ident: $method:ident),* $(,)?) => {$(
        impl<S: $list> $list for Refusing<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                self.inner.$method(&Readable { value, levels: self.levels })
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

lists! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

/// Implements the traits of maps whose keys are fixed by the type.
macro_rules! structs {
    ($($map:ident),* $(,)?) => {$(
        impl<S: $map> $map for Refusing<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), S::Error> {
                self.inner.serialize_field(key, &Readable { value, levels: self.levels })
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), S::Error> {
                self.inner.skip_field(key)
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

structs!(SerializeStruct, SerializeStructVariant);

/// Passes keys on, because `serde_json` itself refuses keys that are not readable.
impl<S: SerializeMap> SerializeMap for Refusing<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.inner.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.inner.serialize_value(&Readable { value, levels: self.levels })
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), S::Error> {
        self.inner.serialize_entry(key, &Readable { value, levels: self.levels })
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}
