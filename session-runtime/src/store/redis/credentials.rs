//! User and password.

use redis::RedisConnectionInfo;

use crate::error::Error;

/// A user and a password. Without both, the user is `default`, without a password. There is no
/// `Debug`, because credentials are secret.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    user: Option<String>,
    password: Option<String>,
}

impl Credentials {
    /// Creates credentials. A user without a password gets the empty password, which is sent.
    /// Without the empty password, the server would accept the connection as `default`, who may do
    /// everything.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::is_config`] if there is a control character, which was pasted by
    /// mistake.
    pub(super) fn new(user: Option<&str>, password: Option<&str>) -> Result<Self, Error> {
        let given = [user, password];
        if given.into_iter().flatten().any(|text| text.contains(char::is_control)) {
            return Err(Error::config(
                "the user or the password of the Redis server contains a line break or another \
                 control character: remove it",
            ));
        }
        let [user, password] = given.map(|text| text.filter(|text| !text.is_empty()));
        let password = password.or(user.map(|_| ""));
        Ok(Self { user: user.map(str::to_owned), password: password.map(str::to_owned) })
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    pub(super) fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// Returns the settings of a connection to this database by this user.
    pub(super) fn for_database(&self, database: i64) -> RedisConnectionInfo {
        let settings = RedisConnectionInfo::default().set_db(database);
        let settings = self.user.iter().fold(settings, RedisConnectionInfo::set_username);
        self.password.iter().fold(settings, RedisConnectionInfo::set_password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_never_left_out() {
        for (user, password, expected) in [
            (Some("app"), Some("p"), (Some("app"), Some("p"))),
            (Some("app"), Some(""), (Some("app"), Some(""))),
            (Some("app"), None, (Some("app"), Some(""))),
            (Some(""), Some("p"), (None, Some("p"))),
            (None, Some("p"), (None, Some("p"))),
            (Some(""), Some(""), (None, None)),
            (None, None, (None, None)),
        ] {
            let login = Credentials::new(user, password).unwrap();
            assert_eq!((login.user(), login.password()), expected);
            let settings = login.for_database(3);
            assert_eq!(
                (settings.username(), settings.password(), settings.db()),
                (expected.0, expected.1, 3)
            );
        }
    }

    #[test]
    fn a_line_break_is_refused_and_nothing_is_quoted() {
        for (user, password) in
            [(None, Some("HUNTER2\n")), (Some("app"), Some("HUN\rTER2")), (Some("HUNTER2\t"), None)]
        {
            let Err(error) = Credentials::new(user, password) else { panic!("it was taken") };
            let told = format!("{error} {error:?}");
            assert!(
                error.is_config() && told.contains("line break") && !told.contains("HUNTER2"),
                "{told}"
            );
        }
    }
}
