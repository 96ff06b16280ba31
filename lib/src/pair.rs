//! Two users of a service in turn: while one is in use, the other one gets a new password.

use crate::vars::VarName;
use std::str::FromStr;

/// A variable that holds a user, and the two users: `DB_USER=app_a,app_b`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pair {
    /// The variable.
    pub name: VarName,
    users: [String; 2],
}

impl FromStr for Pair {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "not NAME=USER,USER: the variable that holds the user, and two users";
        let (name, users) = text.split_once('=').ok_or(WRONG)?;
        let (one, other) = users.split_once(',').ok_or(WRONG)?;
        let is_user = |user: &str| !user.is_empty() && !user.contains([',', '\0']);
        let fits = is_user(one) && is_user(other) && one != other;
        let name = VarName::try_from(name).ok().filter(|_| fits).ok_or(WRONG)?;
        Ok(Pair { name, users: [one.to_owned(), other.to_owned()] })
    }
}

impl Pair {
    /// The user that is not in use; `None` when neither of the two is.
    pub fn other(&self, current: &str) -> Option<&str> {
        let place = self.users.iter().position(|user| user == current)?;
        Some(&self.users[1 - place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_a_name_and_two_users() {
        let pair: Pair = "DB_USER=app_a,app_b".parse().unwrap();
        assert_eq!((pair.other("app_a"), pair.other("app_b"), pair.other("app")), (Some("app_b"), Some("app_a"), None));
        for text in
            ["DB_USER", "DB_USER=a", "DB_USER=a,a", "DB_USER=a,", "DB_USER=,b", "DB_USER=a,b,c", "=a,b", "1=a,b"]
        {
            assert!(text.parse::<Pair>().is_err(), "{text}");
        }
    }
}
