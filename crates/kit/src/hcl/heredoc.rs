//! The value of a heredoc, once its lines are known.

/// The text between the first line and the closing line.
///
/// `indented` is the `<<-` form: when every line is at least as indented as the closing line, that
/// indentation is taken off. In the plain form the white space before the closing name stays, as in
/// HashiCorp's reader.
pub(super) fn value(lines: &[&str], closing_indent: &str, indented: bool) -> String {
    let mut out = String::new();
    let strip = indented && lines.iter().all(|line| line.starts_with(closing_indent));
    for line in lines {
        let line = if strip { line.strip_prefix(closing_indent).unwrap_or(line) } else { line };
        out.push_str(line);
        out.push('\n');
    }
    if !indented {
        out.push_str(closing_indent);
    }
    out
}

/// The white space before `name` if `line` is the closing line for it.
pub(super) fn closing_indent<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let indent = line.trim_end_matches('\r').strip_suffix(name)?;
    indent.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\u{0b}' | '\u{0c}')).then_some(indent)
}
