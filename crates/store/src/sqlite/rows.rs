//! Many rows in few statements.

use model::ports::LogError;
use sqlx::AssertSqlSafe;

use super::line::{Line, Statement};

/// The most rows of one statement.
const MOST: usize = 128;

/// Inserts rows of `width` columns: `insert` is the statement up to `VALUES`, `tail` what follows, `bind` binds a row.
/// Each statement has a power of two of rows, so that few different ones are prepared.
pub(super) async fn insert<R>(
    line: &mut Line,
    insert: &str,
    width: usize,
    tail: &str,
    rows: &[R],
    bind: impl Fn(Statement<'static>, &R) -> Statement<'static>,
) -> Result<(), LogError> {
    let row = format!("({})", vec!["?"; width].join(","));
    let mut rest = rows;
    while !rest.is_empty() {
        let count = MOST.min(1 << rest.len().ilog2());
        let (now, later) = rest.split_at(count);
        let sql = format!("{insert} VALUES {}{tail}", vec![row.as_str(); count].join(","));
        let statement = now.iter().fold(sqlx::query(AssertSqlSafe(sql)), &bind);
        line.run(statement).await?;
        rest = later;
    }
    Ok(())
}
