//! How much is logged.

use proto::spire::api::types::Logger;
use serde_json::{Value, json};

use super::ToJson;

impl ToJson for Logger {
    fn to_json(&self) -> Value {
        json!({
            "current_level": self.current_level().as_str_name(),
            "launch_level": self.launch_level().as_str_name(),
        })
    }
}
