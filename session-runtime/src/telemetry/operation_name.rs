//! The names of operations.

/// The name of an operation, which is the name of the method that starts the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperationName {
    Clear,
    CompareAndSet,
    Create,
    Decr,
    Destroy,
    Exists,
    ExpireIn,
    ExpiresIn,
    Get,
    GetOrSet,
    Incr,
    Load,
    Peek,
    Raw,
    Read,
    Remove,
    Renew,
    Replace,
    Rotate,
    Save,
    Set,
    Take,
    Update,
    Write,
}

impl OperationName {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::CompareAndSet => "compare_and_set",
            Self::Create => "create",
            Self::Decr => "decr",
            Self::Destroy => "destroy",
            Self::Exists => "exists",
            Self::ExpireIn => "expire_in",
            Self::ExpiresIn => "expires_in",
            Self::Get => "get",
            Self::GetOrSet => "get_or_set",
            Self::Incr => "incr",
            Self::Load => "load",
            Self::Peek => "peek",
            Self::Raw => "raw",
            Self::Read => "read",
            Self::Remove => "remove",
            Self::Renew => "renew",
            Self::Replace => "replace",
            Self::Rotate => "rotate",
            Self::Save => "save",
            Self::Set => "set",
            Self::Take => "take",
            Self::Update => "update",
            Self::Write => "write",
        }
    }
}
