use onenet_kernel::Timestamp;
use sqlx::Row as _;

use crate::{
    db::{Db, DbError},
    row,
};

/// How a schema's followers and leases stand, at one moment.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The database's clock.
    pub now: Timestamp,
    /// Each lease that was ever held, and whether it is.
    pub leases: Vec<(String, bool)>,
    /// Each follower in each source.
    pub followers: Vec<FollowerStanding>,
    /// How many events are parked, by follower and state.
    pub parked: Vec<(String, String, i64)>,
}

/// A follower in a source, over all its partitions.
#[derive(Clone, Debug)]
pub struct FollowerStanding {
    /// Its name.
    pub follower: String,
    /// What it reads: `log`, or a topic.
    pub source: String,
    /// The newest position it has handled.
    pub position: u64,
    /// Whether a process holds every partition.
    pub is_held: bool,
}

/// Looks at a schema, and changes nothing.
pub async fn standing(db: &Db) -> Result<Standing, DbError> {
    let doing = || DbError::while_("looking at leases and followers");
    let now = db.now().await?;
    let leases = sqlx::query_as("select name, until > clock_timestamp() from leases order by name")
        .fetch_all(db.pool())
        .await
        .map_err(doing())?;
    let rows = sqlx::query(
        "select follower, source, coalesce(max(position), 0) as position,
            bool_and(until > clock_timestamp()) as is_held
         from checkpoints group by 1, 2 order by 1, 2",
    )
    .fetch_all(db.pool())
    .await
    .map_err(doing())?;
    let followers = rows.iter().map(|row| {
        Ok(FollowerStanding {
            follower: row.try_get("follower")?,
            source: row.try_get("source")?,
            position: row::long(row, "position")?,
            is_held: row.try_get("is_held")?,
        })
    });
    let parked =
        sqlx::query_as("select follower, state, count(*) from parked group by 1, 2 order by 1, 2")
            .fetch_all(db.pool())
            .await
            .map_err(doing())?;
    Ok(Standing {
        now,
        leases,
        followers: followers.collect::<Result<_, sqlx::Error>>().map_err(doing())?,
        parked,
    })
}
