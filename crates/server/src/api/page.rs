//! Paging through lists in order of creation. A token names the last item that was given.

use tonic::Status;

/// The most items of one page, whatever is asked for.
const MAX_PAGE: usize = 10_000;

/// What a caller asked for: how many, after which.
pub(crate) struct Page {
    size: Option<usize>,
    after: u64,
}

impl Page {
    /// From a request's size (0 or less: no paging) and token (empty: from the start). A token that was not given out
    /// by such a list is the caller's mistake.
    pub(crate) fn of(size: i32, token: &str) -> Result<Self, Status> {
        if size <= 0 {
            return Ok(Self { size: None, after: 0 });
        }
        let after = match token {
            "" => 0,
            token => token.parse().map_err(|_| {
                Status::invalid_argument(format!(
                    "could not parse page token {token:?}: use the next_page_token of the page before, or none for the first page"
                ))
            })?,
        };
        Ok(Self { size: Some(usize::try_from(size).unwrap_or(MAX_PAGE).min(MAX_PAGE)), after })
    }

    /// Where the page starts.
    pub(crate) fn after(&self) -> u64 {
        self.after
    }

    /// The page's items out of all that follow its start, and the token of the next page. As SPIRE's, a page that is
    /// not empty names a next one, which may turn out empty.
    pub(crate) fn cut<T, W>(
        &self,
        items: impl Iterator<Item = T>,
        ord: impl Fn(&T) -> u64,
        wire: impl Fn(&T) -> W,
    ) -> (Vec<W>, String) {
        let Some(size) = self.size else { return (items.map(|item| wire(&item)).collect(), String::new()) };
        let mut last = None;
        let page = items
            .take(size)
            .map(|item| {
                last = Some(ord(&item));
                wire(&item)
            })
            .collect();
        (page, last.map(|ord| ord.to_string()).unwrap_or_default())
    }
}
