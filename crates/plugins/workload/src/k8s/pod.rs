//! What a kubelet says of its pods.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// A pod, as far as its selectors go.
#[derive(Clone, Debug, Deserialize)]
pub struct Pod {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: String,
    namespace: String,
    uid: String,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    owner_references: Option<Vec<Owner>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Owner {
    kind: String,
    name: String,
    uid: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    service_account_name: String,
    node_name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    container_statuses: Option<Vec<Container>>,
    init_container_statuses: Option<Vec<Container>>,
}

/// A container of a pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Container {
    name: String,
    image: String,
    #[serde(rename = "imageID")]
    image_id: String,
    /// `containerd://<id>`; empty until it runs.
    #[serde(rename = "containerID")]
    container_id: String,
}

/// Why an answer is of no use.
#[derive(Debug, thiserror::Error)]
#[error("the kubelet's list of pods cannot be used: {0}")]
pub struct PodsError(#[from] serde_json::Error);

/// The pods in the answer to `GET /pods`; those without a uid are passed over.
pub fn parse(text: &[u8]) -> Result<Vec<Pod>, PodsError> {
    #[derive(Deserialize)]
    struct List {
        items: Option<Vec<Pod>>,
    }
    let pods = serde_json::from_slice::<List>(text)?.items.unwrap_or_default();
    Ok(pods.into_iter().filter(|pod| !pod.metadata.uid.is_empty()).collect())
}

impl Pod {
    /// Its uid.
    pub fn uid(&self) -> &str {
        &self.metadata.uid
    }

    /// Its container with this id.
    pub fn container(&self, id: &str) -> Option<&Container> {
        self.running().chain(self.initial()).find(|one| one.id() == Some(id))
    }

    fn running(&self) -> impl Iterator<Item = &Container> {
        self.status.container_statuses.iter().flatten()
    }

    fn initial(&self) -> impl Iterator<Item = &Container> {
        self.status.init_container_statuses.iter().flatten()
    }

    /// The values of its selectors; of its annotations those that are named.
    pub fn selectors(&self, annotations: &[String]) -> impl Iterator<Item = String> {
        let Metadata { name, namespace, uid, labels, owner_references, .. } = &self.metadata;
        let fixed = [
            format!("sa:{}", self.spec.service_account_name),
            format!("ns:{namespace}"),
            format!("node-name:{}", self.spec.node_name),
            format!("pod-uid:{uid}"),
            format!("pod-name:{name}"),
            format!("pod-image-count:{}", self.running().count()),
            format!("pod-init-image-count:{}", self.initial().count()),
        ];
        let named = |kind: &'static str, images: BTreeSet<&str>| -> Vec<String> {
            images.into_iter().map(|image| format!("{kind}:{image}")).collect()
        };
        let images = named("pod-image", self.running().flat_map(Container::images).collect());
        let initial = named("pod-init-image", self.initial().flat_map(Container::images).collect());
        let labels = labels.iter().flatten().map(|(key, value)| format!("pod-label:{key}:{value}"));
        let owners = owner_references.iter().flatten().flat_map(|Owner { kind, name, uid }| {
            [format!("pod-owner:{kind}:{name}"), format!("pod-owner-uid:{kind}:{uid}")]
        });
        let value = |key: &String| self.metadata.annotations.as_ref()?.get_key_value(key);
        let annotations: Vec<String> = annotations
            .iter()
            .filter_map(value)
            .map(|(key, value)| format!("pod-annotation:{key}:{value}"))
            .collect();
        fixed.into_iter().chain(images).chain(initial).chain(labels).chain(owners).chain(annotations)
    }
}

impl Container {
    /// What follows the name of the runtime in its id.
    fn id(&self) -> Option<&str> {
        self.container_id.split_once("://").map(|(_, id)| id.split('/').next().unwrap_or(id))
    }

    /// By digest, and by the name it was asked for by.
    fn images(&self) -> [&str; 2] {
        [&self.image_id, &self.image]
    }

    /// The values of its selectors.
    pub fn selectors(&self) -> Vec<String> {
        let images: BTreeSet<&str> = self.images().into();
        let images = images.into_iter().map(|image| format!("container-image:{image}"));
        std::iter::once(format!("container-name:{}", self.name)).chain(images).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &[u8] = br#"{"kind":"PodList","items":[
        {"metadata":{"name":"web","namespace":"shop","uid":"u-1","labels":{"app":"web"},"annotations":{"team":"red","x":"y"},
            "ownerReferences":[{"kind":"ReplicaSet","name":"web-1","uid":"o-1"}]},
         "spec":{"serviceAccountName":"cart","nodeName":"n1"},
         "status":{"containerStatuses":[
            {"name":"c","image":"r/web:1","imageID":"r/web@sha256:1","containerID":"containerd://abc"},
            {"name":"d","image":"r/web:1","imageID":"r/web@sha256:1","containerID":""}],
          "initContainerStatuses":[{"name":"i","image":"r/init:1","imageID":"r/init@sha256:2","containerID":"cri-o://def"}]}},
        {"metadata":{"name":"nobody"}}]}"#;

    #[test]
    fn a_pod_becomes_selectors() {
        let pods = parse(LIST).unwrap();
        assert_eq!(pods.len(), 1);
        let mut values: Vec<String> = pods[0].selectors(&["team".to_owned(), "none".to_owned()]).collect();
        values.sort();
        assert_eq!(
            values,
            [
                "node-name:n1",
                "ns:shop",
                "pod-annotation:team:red",
                "pod-image-count:2",
                "pod-image:r/web:1",
                "pod-image:r/web@sha256:1",
                "pod-init-image-count:1",
                "pod-init-image:r/init:1",
                "pod-init-image:r/init@sha256:2",
                "pod-label:app:web",
                "pod-name:web",
                "pod-owner-uid:ReplicaSet:o-1",
                "pod-owner:ReplicaSet:web-1",
                "pod-uid:u-1",
                "sa:cart",
            ]
        );
    }

    #[test]
    fn a_container_is_found_by_the_id_behind_its_runtime() {
        let pods = parse(LIST).unwrap();
        let values = pods[0].container("abc").unwrap().selectors();
        assert_eq!(values, ["container-name:c", "container-image:r/web:1", "container-image:r/web@sha256:1"]);
        assert_eq!(pods[0].container("def").unwrap().name, "i");
        assert!(pods[0].container("").is_none() && pods[0].container("containerd").is_none());
    }

    #[test]
    fn a_list_without_pods_is_empty_and_what_is_no_list_is_refused() {
        assert!(parse(br#"{"items":null}"#).unwrap().is_empty());
        assert!(parse(b"[]").is_err() && parse(br#"{"items":1}"#).is_err());
    }
}
