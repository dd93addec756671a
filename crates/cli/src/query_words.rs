//! Words of a query that begin with a hyphen, such as `-blurry`, told apart from options.

use std::ffi::OsString;

/// Options of a search that take a value.
const WITH_VALUE: [&str; 2] = ["--limit", "--library"];
/// Words that are no query when they stand first behind `gallery`.
const GALLERY_COMMANDS: [&str; 2] = ["crop", "upscale"];

/// The command line with the options of a search before its words, and `--` between them: everything that begins with
/// two hyphens is an option, and what begins with one is a word of the query.
pub(crate) fn set_apart(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    let searches = arguments.get(1).is_some_and(|command| command == "history" || command == "gallery");
    let does = arguments.get(2).is_some_and(|word| GALLERY_COMMANDS.iter().any(|command| word == *command));
    if !searches || (does && arguments[1] == "gallery") || arguments.iter().any(|argument| argument == "--") {
        return arguments;
    }
    let (mut options, mut words) = (Vec::new(), Vec::new());
    let mut rest = arguments.drain(2..);
    while let Some(argument) = rest.next() {
        let is_option = argument == "-h" || argument.to_string_lossy().starts_with("--");
        let takes_value = WITH_VALUE.iter().any(|option| argument == *option);
        if is_option {
            options.push(argument);
        } else {
            words.push(argument);
        }
        if takes_value {
            options.extend(rest.next());
        }
    }
    drop(rest);
    arguments.extend(options);
    arguments.push("--".into());
    arguments.extend(words);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_may_stand_anywhere() {
        let check = |line: &str, expected: &str| {
            let found = set_apart(line.split(' ').map(OsString::from));
            let found: Vec<_> = found.iter().map(|it| it.to_string_lossy()).collect();
            assert_eq!(found.join(" "), expected);
        };
        check("tarim gallery fox -sea --json", "tarim gallery --json -- fox -sea");
        check("tarim history --limit 3 -huge fox", "tarim history --limit 3 -- -huge fox");
        check("tarim gallery -h", "tarim gallery -h --");
        check("tarim gallery --json -- --odd", "tarim gallery --json -- --odd");
        check("tarim queue list --json", "tarim queue list --json");
        check("tarim gallery crop id --area 9x9+0+0", "tarim gallery crop id --area 9x9+0+0");
        check("tarim gallery fox crop", "tarim gallery -- fox crop");
        check("tarim history crop", "tarim history -- crop");
    }
}
