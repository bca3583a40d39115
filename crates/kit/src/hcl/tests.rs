use proptest::prelude::*;

use super::*;

fn root(text: &str) -> Body {
    match parse("t.conf", text.as_bytes()) {
        Ok(document) => document.root().clone(),
        Err(error) => panic!("{error}\n{text}"),
    }
}

fn complaint(text: &str) -> String {
    match parse("t.conf", text.as_bytes()) {
        Ok(document) => panic!("accepted: {document:?}"),
        Err(error) => error.to_string(),
    }
}

/// The values under `a`, in order.
fn values(text: &str) -> Vec<Value> {
    let body = root(text);
    Section::of(&body).named("a").map(|field| field.node().unwrap().value.clone()).collect()
}

fn text_of(source: &str) -> String {
    match values(source).remove(0) {
        Value::Text(text) => text,
        other => panic!("not text: {other:?}"),
    }
}

fn int_of(source: &str) -> Option<i64> {
    match values(source).remove(0) {
        Value::Number(number) => number.as_i64(),
        other => panic!("not a number: {other:?}"),
    }
}

/// The tree without positions and notation details, to compare meanings.
fn strip(body: &Body) -> Body {
    let node = |node: &Node| strip_node(node);
    Body {
        items: body
            .items
            .iter()
            .map(|item| Item {
                keys: item
                    .keys
                    .iter()
                    .map(|key| Key { name: key.name.clone(), quoted: false, at: Position::START })
                    .collect(),
                value: node(&item.value),
                assigned: item.assigned,
            })
            .collect(),
        at: Position::START,
    }
}

fn strip_node(node: &Node) -> Node {
    let value = match &node.value {
        Value::List(list) => Value::List(list.iter().map(strip_node).collect()),
        Value::Object(body) => Value::Object(strip(body)),
        other => other.clone(),
    };
    Node { value, at: Position::START }
}

#[test]
fn comments_of_all_three_kinds_are_skipped() {
    let body = root("# one\n// two\n/* three\n * four */ a = 1 # five\n/**/b = 2 // six\n/***/");
    assert_eq!(body.items.len(), 2);
}

#[test]
fn items_may_share_a_line_and_end_in_a_comma() {
    let body = root("a = 1, b = \"x\" c { d = true e = [1] } f = {g = 1, h = 2,}");
    assert_eq!(body.items.len(), 4);
    assert_eq!(root("plugins { KeyManager \"memory\" { plugin_data {} } }").items[0].keys[0].name, "plugins");
}

#[test]
fn lists_may_trail_a_comma_and_hold_objects_and_lists() {
    let body = root("a = [1, \"b\", true, [2, 3], { c = 1 }, { d = 2 e = 3 },\n]");
    let Value::List(list) = &body.items[0].value.value else { panic!() };
    assert_eq!(list.len(), 6);
    assert!(matches!(values("a = []").remove(0), Value::List(list) if list.is_empty()));
    assert!(complaint("a = [1 2]").contains("expected \",\" or \"]\""));
    assert!(complaint("a = [1,").contains("t.conf:1:5: this \"[\" is never closed"));
}

#[test]
fn escapes_are_those_of_hashicorps_reader() {
    assert_eq!(text_of(r#"a = "\a\b\f\n\r\t\v\\\"""#), "\u{7}\u{8}\u{c}\n\r\t\u{b}\\\"");
    assert_eq!(text_of(r#"a = "\x41\101\u00e9\U0001F600""#), "AA\u{e9}\u{1F600}");
    assert_eq!(text_of(r#"a = "\xc3\xa9""#), "\u{e9}");
    assert_eq!(text_of(r#"a = "\ud800""#), "\u{fffd}");
    assert!(complaint(r#"a = "\q""#).contains("t.conf:1:6: unknown or incomplete escape"));
    assert!(complaint(r#"a = "\xff""#).contains("not UTF-8"));
    assert!(complaint(r#"a = "\777""#).contains("escape"));
    assert!(complaint("a = \"b\nc\"").contains("t.conf:1:5: this string has no closing double quote"));
}

#[test]
fn interpolations_are_kept_as_written() {
    assert_eq!(text_of(r#"a = "x ${f("y")} z""#), r#"x ${f("y")} z"#);
    assert_eq!(text_of("a = \"${b {\n} }\""), "${b {\n} }");
    assert_eq!(text_of(r#"a = "%{if} {{.PluginName}} $x""#), "%{if} {{.PluginName}} $x");
    assert!(complaint(r#"a = "${b""#).contains("without the closing"));
}

#[test]
fn heredocs_keep_their_lines() {
    assert_eq!(text_of("a = <<EOF\none\n two \"x\" ${y}\nEOF\nb = 1"), "one\n two \"x\" ${y}\n");
    assert_eq!(text_of("a = <<EOF\nEOF\n"), "");
    assert_eq!(text_of("a = <<EOF\nx\n  EOF\n"), "x\n  ");
    assert_eq!(text_of("a = <<-EOF\n    x\n      y\n    EOF\n"), "x\n  y\n");
    assert_eq!(text_of("a = <<-EOF\n  x\n    EOF\n"), "  x\n");
    assert_eq!(text_of("a = <<-EOF\n  x\nEOF\n"), "  x\n");
    assert_eq!(text_of("a = <<EOF\r\nx\r\nEOF\r\n"), "x\n");
    assert_eq!(text_of("a = <<EOF\nx\nEOF"), "x\n");
    assert!(complaint("a = <<EOF\nx\n").contains("no closing line \"EOF\""));
    assert!(complaint("a = <<\nx\n").contains("a heredoc begins with"));
    assert!(complaint("a = <b").contains("a heredoc begins with"));
}

#[test]
fn numbers_are_decimal_octal_hexadecimal_or_fractions() {
    assert_eq!(int_of("a = 8081"), Some(8081));
    assert_eq!(int_of("a = -12"), Some(-12));
    assert_eq!(int_of("a = 0x1F"), Some(31));
    assert_eq!(int_of("a = -0x10"), Some(-16));
    assert_eq!(int_of("a = 0755"), Some(0o755));
    assert_eq!(int_of("a = 0"), Some(0));
    assert_eq!(int_of("a = 1.5"), None);
    assert_eq!(int_of("a = 9223372036854775808"), None);
    assert_eq!(int_of("a = -9223372036854775808"), Some(i64::MIN));
    for (source, expected) in [("a = 1.5", 1.5), ("a = 1e3", 1000.0), ("a = 1.5E-1", 0.15), ("a = .5", 0.5)] {
        let Value::Number(number) = values(source).remove(0) else { panic!() };
        assert_eq!(number.as_f64(), Some(expected), "{source}");
    }
    for bad in ["a = 0x", "a = 089", "a = 1e", "a = -", "a = ."] {
        complaint(bad);
    }
}

#[test]
fn quoted_keys_labels_and_nesting_read_the_same() {
    let sources = [
        "plugins { NodeAttestor \"join_token\" { plugin_data { x = 1 } } }",
        "plugins { NodeAttestor { join_token { plugin_data { x = 1 } } } }",
        "\"plugins\" \"NodeAttestor\" \"join_token\" \"plugin_data\" { x = 1 }",
        "plugins = { NodeAttestor = { \"join_token\" = { plugin_data = { x = 1 } } } }",
        r#"{"plugins": {"NodeAttestor": {"join_token": {"plugin_data": {"x": 1}}}}}"#,
        r#"{"plugins": [{"NodeAttestor": [{"join_token": [{"plugin_data": [{"x": 1}]}]}]}]}"#,
    ];
    for source in sources {
        let body = root(source);
        let mut section = Section::of(&body);
        for name in ["PLUGINS", "NodeAttestor", "join_token", "plugin_data"] {
            let fields: Vec<Field<'_>> = section.named(name).collect();
            assert_eq!(fields.len(), 1, "{source}");
            section = fields[0].section().unwrap();
        }
        assert_eq!(section.fields().len(), 1, "{source}");
        assert_eq!(section.fields()[0].key().name, "x");
    }
}

#[test]
fn repeated_keys_are_all_kept() {
    assert_eq!(values("a = 1\na = 2\nA = 3").len(), 3);
    let body = root("s { a = 1 } s { b = 2 }");
    let section = Section::of(&body);
    let mut merged = Section::empty(Position::START);
    section.named("s").filter_map(|field| field.section()).for_each(|part| merged.merge(part));
    assert_eq!(merged.print(), "a = 1\nb = 2\n");
}

#[test]
fn places_count_lines_and_characters_from_one() {
    let body = root("a = 1\n  \"é\" b {\n\tc = [true]\n}\n");
    assert_eq!(body.items[1].keys[0].at, Position { line: 2, column: 3 });
    assert_eq!(body.items[1].keys[1].at, Position { line: 2, column: 7 });
    let Value::Object(inner) = &body.items[1].value.value else { panic!() };
    assert_eq!(inner.items[0].value.at, Position { line: 3, column: 6 });
}

#[test]
fn mistakes_say_where_they_are_and_what_to_do() {
    for (source, expected) in [
        ("a = b", "t.conf:1:5: \"b\" is a bare word; put it in double quotes"),
        ("a 1", "t.conf:1:3: expected \"=\" or \"{\" after key \"a\", found the number 1"),
        (
            "a b = 1",
            "t.conf:1:5: labels and \"=\" do not go together; write `a \"label\" { … }` without \"=\"",
        ),
        ("x {\n a = 1", "t.conf:1:3: this \"{\" is never closed; add \"}\""),
        ("}", "t.conf:1:1: expected a key, found \"}\"; a body holds `key = value` and `key { … }`"),
        ("a = ", "t.conf:1:5: expected a value, found the end of the file"),
        (
            "a = 1 ; b = 2",
            "t.conf:1:7: unexpected character ';'; remove it, or put the text in double quotes",
        ),
        ("a = 'b'", "t.conf:1:5: unexpected character '\\''; remove it, or put the text in double quotes"),
        ("/* x", "t.conf:1:1: this comment has no closing \"*/\"; add it"),
        ("a / b", "t.conf:1:3: a single \"/\" means nothing; a comment begins with \"//\", \"#\" or \"/*\""),
        (
            "true = 1",
            "t.conf:1:1: expected a key, found \"true\"; a body holds `key = value` and `key { … }`",
        ),
    ] {
        assert_eq!(complaint(source), expected);
    }
    assert!(complaint("# \0").starts_with("t.conf:1:3: character U+0000 is not allowed here"));
    assert!(complaint("a = \"\u{e123}\"").starts_with("t.conf:1:6: character U+E123 is not allowed here"));
    let error = parse("t.conf", b"a = 1\nb = \"\xff\"").unwrap_err();
    assert_eq!((error.at(), error.fault()), (Position { line: 2, column: 6 }, &Fault::NotUtf8));
}

#[test]
fn size_depth_and_count_are_bounded() {
    let limits = Limits { bytes: 100, depth: 3, nodes: 6 };
    let fault = |text: &str| parse_within("t", text.as_bytes(), limits).unwrap_err().fault().clone();
    assert_eq!(fault(&" ".repeat(101)), Fault::TooLong { limit: 100 });
    assert_eq!(fault("a = [[[[1]]]]"), Fault::TooDeep { limit: 3 });
    assert_eq!(fault("a b c { d { e {} } }"), Fault::TooMany { limit: 6 });
    assert_eq!(fault("a = [1, 2, 3, 4, 5, 6]"), Fault::TooMany { limit: 6 });
    for deep in ["[", "a {", "a = [", "a = {a = {", "{\"a\":"] {
        let text = format!("a = {}", deep.repeat(20_000));
        assert!(parse("t", text.as_bytes()).is_err());
        assert!(parse("t", deep.repeat(20_000).as_bytes()).is_err());
    }
}

#[test]
fn json_is_recognised_by_its_brace() {
    let body =
        root("\n {\"a\": \"\\u00e9\\/\\ud83d\\ude00\", \"b\": [true, null, 1.5e3], \"c\": {\"d\": -1},}\n");
    let section = Section::of(&body);
    assert_eq!(section.fields().len(), 3);
    assert!(
        matches!(&section.named("a").next().unwrap().node().unwrap().value, Value::Text(t) if t == "é/😀")
    );
    for bad in [
        "{\"a\": 1} x",
        "{\"a\" 1}",
        "{\"a\": 1 \"b\": 2}",
        "{\"a\": 01}",
        "{\"a\": -.5e1}",
        "{\"a\": -.5}",
        "{\"a\": tru}",
        "{\"a\": \"\\ud83d\"}",
        "{a: 1}",
        "{\"a\": [1 2]}",
        "{\"a\": 1",
    ] {
        complaint(bad);
    }
}

#[test]
fn a_json_list_of_objects_is_the_key_repeated() {
    let body = root(r#"{"a": [{"x": 1}, {"y": 2}], "b": [{"x": 1}, 2]}"#);
    assert_eq!(Section::of(&body).named("a").count(), 2);
    assert_eq!(Section::of(&body).named("b").count(), 1);
    assert_eq!(
        print(&body),
        "\"a\" = {\n  \"x\" = 1\n}\n\"a\" = {\n  \"y\" = 2\n}\n\"b\" = [{\n  \"x\" = 1\n}, 2]\n"
    );
}

#[test]
fn printed_text_reads_back_as_the_same_tree() {
    let source = "a = \"x\\n\\\"${y}\\\"\"\nb \"c d\" {\n  e = [1, { f = <<X\nh $${\nX\n }]\n}\ng = {}\n";
    let body = root(source);
    assert_eq!(strip(&root(&print(&body))), strip(&body));
    assert_eq!(print(&root(&print(&body))), print(&body));
}

#[test]
fn variables_expand_by_the_rules_of_go() {
    let lookup = |name: &str| match name {
        "A" => Some("alpha".to_owned()),
        "A_1" => Some("one".to_owned()),
        "a b" => Some("spaced".to_owned()),
        "E" => Some(String::new()),
        _ => None,
    };
    for (text, expected) in [
        ("$A-${A}x$A_1.", "alpha-alphaxone."),
        ("$$A $$$A ${$}", "$A $alpha $"),
        ("${a b}", "spaced"),
        ("[$E][$missing][$1][$*]", "[][][][]"),
        ("${} ${ $ $. $", "  $ $. $"),
        ("100% \u{e9}$\u{e9}", "100% \u{e9}$\u{e9}"),
        ("no dollars", "no dollars"),
    ] {
        assert_eq!(expand_with(text, lookup).text, expected, "{text}");
    }
    assert_eq!(expand_with("$missing ${missing} $gone $E", lookup).unset, ["missing", "gone"]);
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<u32>().prop_map(|n| format!("{n:#x}")),
        any::<u32>().prop_map(|n| format!("0{n:o}")),
        (any::<i32>(), any::<u16>(), -99..99_i32).prop_map(|(n, f, e)| format!("{n}.{f}e{e}")),
    ]
    .prop_map(|text| Value::Number(Number::parse(&text).unwrap()))
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        number(),
        any::<String>().prop_map(Value::Text),
        r#"[a${}"\\%\n\x00-\x1f\u{e123}]{0,12}"#.prop_map(Value::Text),
    ];
    let placed = |value| Node { value, at: Position::START };
    leaf.prop_map(placed).prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            prop::collection::vec(item(inner), 0..5)
                .prop_map(|items| Value::Object(Body { items, at: Position::START })),
        ]
        .prop_map(placed)
    })
}

fn item(value: impl Strategy<Value = Node>) -> impl Strategy<Value = Item> {
    let key = prop_oneof!["[a-z_][a-z0-9_.-]{0,8}", any::<String>()];
    (prop::collection::vec(key, 1..3), value, any::<bool>()).prop_map(|(names, value, assigned)| {
        let is_block = matches!(value.value, Value::Object(_));
        let wanted = if is_block && !assigned { names.len() } else { 1 };
        let keys =
            names.into_iter().take(wanted).map(|name| Key { name, quoted: false, at: Position::START });
        Item { keys: keys.collect(), value, assigned: assigned || !is_block }
    })
}

proptest! {
    #[test]
    fn every_tree_survives_printing_and_reading(items in prop::collection::vec(item(node()), 0..6)) {
        let body = Body { items, at: Position::START };
        let printed = print(&body);
        let read = parse("printed", printed.as_bytes());
        prop_assert!(read.is_ok(), "{}\n{printed}", read.unwrap_err());
        prop_assert_eq!(strip(read.unwrap().root()), strip(&body));
    }

    #[test]
    fn reading_never_panics(text in any::<Vec<u8>>()) {
        let _ = parse("any", &text);
    }

    #[test]
    fn reading_hcl_like_text_never_panics(text in r#"[a1{}\[\]",=\\$<E\n/*# .x-]{0,60}"#) {
        if let Ok(document) = parse("any", text.as_bytes()) {
            let printed = print(document.root());
            let again = parse("printed", printed.as_bytes());
            prop_assert!(again.is_ok(), "{}", again.unwrap_err());
            prop_assert_eq!(strip(again.unwrap().root()), strip(document.root()));
        }
    }

    #[test]
    fn expansion_never_panics(text in "[${}aA_*\u{e9}]{0,30}") {
        let _ = expand_with(&text, |_| None);
    }
}
