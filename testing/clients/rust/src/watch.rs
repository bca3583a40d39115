//! Follows one stream through rotations, and meanwhile asks for SVIDs as a busy workload would.

use std::time::Duration;

use serde_json::json;
use spiffe_client::WorkloadApiClient;
use tokio_stream::StreamExt;

use crate::fetch::describe;
use crate::{Failure, show};

const PAUSE: Duration = Duration::from_millis(100);

pub(crate) async fn watch(rotations: usize, limit: Duration) -> Result<(), Failure> {
    let client = WorkloadApiClient::connect_env().await?;
    let mut busy = Busy::default();
    let followed = tokio::time::timeout(limit, async {
        tokio::select! {
            followed = follow(&client, rotations) => followed,
            () = busy.ask(&client) => Ok(()),
        }
    })
    .await;
    followed.map_err(|_| format!("no {rotations} rotations within {limit:?}"))??;
    show(&json!({ "updates": rotations, "requests": busy.requests, "failures": busy.failures }));
    match busy.failures {
        0 => Ok(()),
        failures => Err(format!("{failures} of {} requests failed", busy.requests).into()),
    }
}

async fn follow(client: &WorkloadApiClient, rotations: usize) -> Result<(), Failure> {
    let mut stream = client.stream_x509_contexts().await?;
    let mut serial = serde_json::Value::Null;
    let mut seen = 0;
    while seen <= rotations {
        let context = stream.next().await.ok_or("the stream ended")??;
        let mut line = describe(&context)?;
        if line["serial"] == serial {
            continue;
        }
        serial = line["serial"].clone();
        line["update"] = json!(seen);
        show(&line);
        seen += 1;
    }
    Ok(())
}

#[derive(Default)]
struct Busy {
    requests: u32,
    failures: u32,
}

impl Busy {
    async fn ask(&mut self, client: &WorkloadApiClient) {
        loop {
            tokio::time::sleep(PAUSE).await;
            self.requests += 1;
            if let Err(failure) = both(client).await {
                self.failures += 1;
                show(&json!({ "failure": failure.to_string() }));
            }
        }
    }
}

async fn both(client: &WorkloadApiClient) -> Result<(), Failure> {
    client.fetch_x509_svid().await?;
    client.fetch_jwt_svid(["watch"], None).await?;
    Ok(())
}
