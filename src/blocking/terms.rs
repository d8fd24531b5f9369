//! What all who share an open queue must want alike.

use std::fmt::Display;

use crate::log::Retention;
use crate::log::bounds::Bounds;
use crate::store::rocks::Kind;

/// How a queue is opened, as far as that is a matter of the queue and not of one face of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub kind: Kind,
    pub retention: Retention,
    pub bounds: Bounds,
}

impl Terms {
    /// In what a queue that is open on these terms is not what is `wanted`.
    pub(super) fn difference(&self, wanted: &Self) -> Option<String> {
        if self.kind != wanted.kind {
            return Some(format!("as {}", self.kind.name()));
        }
        let (here, there) = (self.bounds.max, wanted.bounds.max);
        let differences = [
            differ("ttl", seconds(self.retention), seconds(wanted.retention)),
            differ("max_elements", bound(here.items), bound(there.items)),
            differ("max_bytes", bound(here.bytes), bound(there.bytes)),
            differ(
                "on_full",
                format!("{:?}", self.bounds.on_full),
                format!("{:?}", wanted.bounds.on_full),
            ),
        ];
        let differences: Vec<_> = differences.into_iter().flatten().collect();
        (!differences.is_empty()).then(|| format!("with {}", differences.join(" and ")))
    }
}

fn differ(name: &str, here: impl Display + PartialEq, wanted: impl Display) -> Option<String> {
    let (here, wanted) = (here.to_string(), wanted.to_string());
    (here != wanted).then(|| format!("{name}={here} instead of {wanted}"))
}

/// None is no bound.
fn bound(bound: u64) -> String {
    match bound {
        u64::MAX => "None".to_owned(),
        bound => bound.to_string(),
    }
}

fn seconds(retention: Retention) -> String {
    match retention {
        Retention::Unread | Retention::Young { ttl: None } => "0".to_owned(),
        Retention::Young { ttl: Some(ttl) } => ttl.as_secs_f64().to_string(),
    }
}
