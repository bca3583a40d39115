use super::*;

const FLAGS: &[Flag] = &[
    Flag::choice("output", &["pretty", "json"], "The form of the output"),
    Flag::list("selector", "A selector"),
    Flag::switch("admin", "May administer"),
    Flag::file("data", "A file"),
    Flag::folder("write", "A folder"),
    Flag::text("banned", "Whether banned").offering(&["true", "false"]),
];
static COMMANDS: &[Command] = &[
    Command::new("entry create", "Creates", &[FLAGS]),
    Command::new("entry show", "Shows", &[]),
    Command::new("api fetch", "Fetches", &[FLAGS]),
    Command::new("api fetch jwt", "Fetches a JWT", &[]),
    Command::new("run", "Runs", &[]),
];

fn offered(line: &str) -> Offered {
    let program = Program { name: "tool", version: String::new(), commands: COMMANDS.iter().collect() };
    let words = split(line);
    let (word, before) = words.split_last().unwrap();
    program.complete(before, word)
}

#[track_caller]
fn words(line: &str) -> String {
    match offered(line) {
        Offered::Words(words) => words.iter().map(|one| one.word.as_str()).collect::<Vec<_>>().join(" "),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn commands_and_their_subcommands_are_offered() {
    assert_eq!(words(""), "api entry run -help");
    assert_eq!(words("en"), "entry");
    assert_eq!(words("entry "), "create show -help");
    assert_eq!(words("entry s"), "show");
    assert_eq!(words("-"), "-version -help");
    assert_eq!(words("nonsense "), "");
}

#[test]
fn flags_are_offered_once_and_lists_again() {
    assert_eq!(words("entry create -"), "-admin -banned -data -output -selector -write -help");
    assert_eq!(words("entry create --ad"), "--admin");
    assert_eq!(words("entry create -selector a:b -admin -"), "-banned -data -output -selector -write");
    assert_eq!(words("entry show -x"), "");
}

#[test]
fn a_command_that_is_a_group_too_offers_both() {
    assert!(words("api fetch ").starts_with("jwt -admin"));
    assert_eq!(words("api fetch j"), "jwt");
    assert_eq!(words("api fetch -admin j"), "");
}

#[test]
fn values_are_offered_after_a_space_and_after_an_equals_sign() {
    assert_eq!(words("entry create -output "), "pretty json");
    assert_eq!(words("entry create -output j"), "json");
    assert_eq!(words("entry create -output=j"), "-output=json");
    assert_eq!(words("entry create --output=p"), "--output=pretty");
    assert_eq!(words("entry create -admin=f"), "-admin=false");
    assert_eq!(words("entry create -banned "), "true false");
    assert_eq!(words("entry create -selector "), "", "no value is made up");
    assert_eq!(words("entry create -selector -output -o"), "-output", "the first -output is a value");
}

#[test]
fn files_and_folders_are_left_to_the_shell() {
    assert_eq!(offered("entry create -data x"), Offered::Files { after: String::new() });
    assert_eq!(offered("entry create -data=x"), Offered::Files { after: "-data=".to_owned() });
    assert_eq!(offered("entry create -write "), Offered::Folders { after: String::new() });
    assert_eq!(offered("entry create -data=x").lines(), "files\n-data=\n");
}

#[test]
fn words_come_with_what_they_mean() {
    assert_eq!(offered("entry create -out").lines(), "words\n-output\tThe form of the output\n");
    assert_eq!(offered("entry c").lines(), "words\ncreate\tCreates\n");
}

#[test]
fn lines_are_split_as_a_shell_does() {
    let cases: [(&str, &[&str]); 7] = [
        ("", &[""]),
        ("a  b", &["a", "b"]),
        ("a b ", &["a", "b", ""]),
        ("a 'b c' \"d e", &["a", "b c", "d e"]),
        (r"a\ b c\", &["a b", "c"]),
        ("'' x", &["", "x"]),
        (r#"'\' "\"" "#, &["\\", "\"", ""]),
    ];
    for (line, expected) in cases {
        assert_eq!(split(line), expected, "{line}");
    }
}
