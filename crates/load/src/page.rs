//! The page of benchmarks in parts: a section that is measured alone takes the place of the one before, and a whole run keeps the
//! sections that others write.

/// The section of the page before which new ones go.
const LAST: &str = "## All measurements";

/// The page with this section in it, in the place of the one with its title, or before all measurements.
pub(crate) fn with_section(page: &str, section: &str) -> String {
    let title = section.lines().next().unwrap_or_default();
    let mut parts = split(page);
    let section = format!("{}\n\n", section.trim_end());
    match parts.iter_mut().find(|part| part.starts_with(title) && part.lines().next() == Some(title)) {
        Some(part) => *part = section,
        None => {
            let at = parts.iter().position(|part| part.starts_with(LAST)).unwrap_or(parts.len());
            parts.insert(at, section);
        }
    }
    format!("{}\n", parts.concat().trim_end())
}

/// A new page with the sections of the old one that it has not.
pub(crate) fn keeping(new: &str, old: &str) -> String {
    let title = |part: &str| part.lines().next().unwrap_or_default().to_owned();
    let titles: Vec<String> = split(new).iter().map(|part| title(part)).collect();
    let others =
        split(old).into_iter().filter(|part| part.starts_with("## ") && !titles.contains(&title(part)));
    others.fold(new.to_owned(), |page, section| with_section(&page, &section))
}

/// What stands before the first section, and each section.
fn split(page: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut code = false;
    for line in page.split_inclusive('\n') {
        code ^= line.starts_with("```");
        if line.starts_with("## ") && !code {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(line);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Page\n\nhead\n\n## One\n\n1\n\n## All measurements\n\n```\n## no title\n```\n";

    #[test]
    fn a_section_takes_the_place_of_the_one_before() {
        let page = with_section(PAGE, "## One\n\nnew\n");
        assert_eq!(page, PAGE.replace("\n1\n", "\nnew\n"));
        let page = with_section(PAGE, "## Two\n\n2\n");
        assert_eq!(page, PAGE.replace("## All", "## Two\n\n2\n\n## All"));
    }

    #[test]
    fn sections_of_others_are_kept() {
        let old = "# Page\n\n## One\n\nold\n\n## Theirs\n\nx\n";
        assert_eq!(keeping(PAGE, old), PAGE.replace("## All", "## Theirs\n\nx\n\n## All"));
        assert_eq!(keeping(PAGE, PAGE), PAGE);
    }
}
