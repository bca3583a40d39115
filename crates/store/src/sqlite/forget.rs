//! Dropping old changes.

use model::ports::LogError;

use super::line::Line;

/// How many are dropped in one transaction, for which writers wait.
const PIECE: i64 = 10_000;

/// Drops some of the changes before number `before`, oldest first; whether there are more.
pub(super) async fn forget_some(line: &mut Line, before: u64) -> Result<bool, LogError> {
    let sql = "DELETE FROM change WHERE number < min(?1, (SELECT number FROM sequence))
        AND number < (SELECT min(number) FROM change) + ?2";
    let before = i64::try_from(before).unwrap_or(i64::MAX);
    let dropped = line.run(sqlx::query(sql).bind(before).bind(PIECE)).await?;
    Ok(dropped >= PIECE.unsigned_abs())
}
