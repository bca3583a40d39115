use super::*;

const A: &str = "93529524695bb00d91c1f6dba692ea8d3550c3b94fb2463af7bc9ec82f992d26";
const B: &str = "09bc3d7ade839efec32b6bec4ec79d099027a668ddba043083ec21d3c3b8f1e6";
const UID: &str = "a2830d0d-b0f0-4ff0-81b5-0ee4e299cf80";

/// What it is, a list of control groups, and the container and pod that it names.
type Row = (&'static str, &'static str, Option<(&'static str, Option<&'static str>)>);

/// Lists as they are found on real nodes, with names for ids, and who is said to run there.
const LISTS: &[Row] = &[
    ("Docker, cgroup v1, cgroupfs", "11:pids:/docker/{A}\n1:name=systemd:/docker/{A}\n", Some((A, None))),
    ("Docker, cgroup v1, systemd", "11:pids:/system.slice/docker-{A}.scope\n", Some((A, None))),
    ("Docker, cgroup v2, systemd", "0::/system.slice/docker-{A}.scope\n", Some((A, None))),
    ("Docker, cgroup v2, cgroupfs", "0::/docker/{A}\n", Some((A, None))),
    ("Docker, hybrid", "10:cpu:/docker/{A}\n1:name=systemd:/docker/{A}\n0::/docker/{A}\n", Some((A, None))),
    ("Docker, hybrid, v2 not used", "10:cpu:/docker/{A}\n0::/system.slice/docker.service\n", Some((A, None))),
    ("Docker, v1 hierarchy not used", "10:rdma:/\n9:cpu:/docker/{A}\n", Some((A, None))),
    (
        "Docker, rootless",
        "0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{A}.scope\n",
        Some((A, None)),
    ),
    ("Docker, own parent group", "0::/build/jobs/{A}\n", Some((A, None))),
    ("Docker, seen from an agent in a container", "0::/../{A}\n", Some((A, None))),
    ("Docker, seen from an agent in a container, systemd", "0::/../docker-{A}.scope\n", Some((A, None))),
    ("Docker in Docker", "0::/docker/{B}/docker/{A}\n", Some((A, None))),
    (
        "systemd in a container, v2",
        "0::/system.slice/docker-{A}.scope/system.slice/web.service\n",
        Some((A, None)),
    ),
    (
        "systemd in a container, v1",
        "9:cpu:/docker/{A}\n1:name=systemd:/docker/{A}/init.scope\n",
        Some((A, None)),
    ),
    ("Podman, root, v2", "0::/machine.slice/libpod-{A}.scope/container\n", Some((A, None))),
    (
        "Podman, root, v1, cgroupfs",
        "5:cpu:/libpod_parent/libpod-{A}\n0::/libpod_parent/libpod-{A}\n",
        Some((A, None)),
    ),
    (
        "Podman, rootless",
        "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{A}.scope/container\n",
        Some((A, None)),
    ),
    (
        "Podman, rootless, in a session",
        "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope/libpod-{A}\n",
        Some((A, None)),
    ),
    ("Podman, quadlet", "0::/system.slice/web.service/libpod-payload-{A}\n", Some((A, None))),
    ("Podman, monitor", "0::/machine.slice/libpod-conmon-{A}.scope\n", Some((A, None))),
    (
        "containerd, systemd, v2",
        "0::/system.slice/containerd.service/kubepods-burstable-pod{U_ID}.slice:cri-containerd:{A}\n",
        Some((A, Some(UID))),
    ),
    (
        "containerd, systemd, guaranteed",
        "0::/kubepods.slice/kubepods-pod{U_ID}.slice/cri-containerd-{A}.scope\n",
        Some((A, Some(UID))),
    ),
    (
        "containerd, systemd, burstable",
        "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{U_ID}.slice/cri-containerd-{A}.scope\n",
        Some((A, Some(UID))),
    ),
    (
        "containerd, cgroupfs, v1",
        "7:cpu:/kubepods/besteffort/pod{UID}/{A}\n1:name=systemd:/kubepods/besteffort/pod{UID}/{A}\n",
        Some((A, Some(UID))),
    ),
    ("containerd, own namespace, by name", "0::/rig/c1\n", None),
    (
        "CRI-O, systemd",
        "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{U_ID}.slice/crio-{A}.scope\n",
        Some((A, Some(UID))),
    ),
    (
        "CRI-O, with a group of its own inside",
        "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{U_ID}.slice/crio-{A}.scope/container\n",
        Some((A, Some(UID))),
    ),
    ("CRI-O, cgroupfs", "3:memory:/kubepods/pod{UID}/crio-{A}\n", Some((A, Some(UID)))),
    (
        "Docker as Kubernetes' runtime",
        "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{U_ID}.slice/docker-{A}.scope\n",
        Some((A, Some(UID))),
    ),
    ("k3s", "0::/kubepods/burstable/pod{UID}/{A}\n", Some((A, Some(UID)))),
    (
        "k3s under systemd",
        "0::/system.slice/k3s.service/kubepods/besteffort/pod{UID}/{A}\n",
        Some((A, Some(UID))),
    ),
    (
        "kind, v1",
        "9:cpu:/docker/{B}/kubelet/kubepods/besteffort/pod{UID}/{A}\n1:name=systemd:/docker/{B}/kubelet/kubepods/besteffort/pod{UID}/{A}\n",
        Some((A, Some(UID))),
    ),
    (
        "kind, v2",
        "0::/system.slice/docker-{B}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/\
         kubelet-kubepods-besteffort-pod{U_ID}.slice/cri-containerd-{A}.scope\n",
        Some((A, Some(UID))),
    ),
    (
        "kind on a Mac, where v2 names the node alone",
        "1:cpuset:/docker/{B}/kubepods/besteffort/pod{UID}/{A}\n0::/docker/{B}/system.slice/containerd.service\n",
        Some((A, Some(UID))),
    ),
    (
        "the same, in the other order",
        "2:cpu:/docker/{B}/system.slice/containerd.service\n1:cpuset:/docker/{B}/kubepods/besteffort/pod{UID}/{A}\n",
        Some((A, Some(UID))),
    ),
    ("Garden", "4:memory:/garden/6f265890-5165-7fab-6b52-18d1\n", None),
    ("LXC", "0::/lxc.payload.web/system.slice/nginx.service\n", None),
    ("a session", "0::/user.slice/user-1000.slice/session-3.scope\n", None),
    ("a service", "1:name=systemd:/system.slice/ssh.service\n0::/system.slice/ssh.service\n", None),
    ("no group", "0::/\n", None),
    ("an id with a digit too many", "0::/docker/{A}0\n", None),
    (
        "an id in capitals is one all the same",
        "0::/docker/ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789\n",
        Some(("ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789", None)),
    ),
    ("an id that a word continues", "0::/docker/{A}_x\n", None),
    ("a pod's own group", "0::/kubepods/pod{UID}\n", None),
];

fn list(template: &str) -> Cgroups {
    let text = template.replace("{A}", A).replace("{B}", B).replace("{UID}", UID);
    Cgroups::parse(text.replace("{U_ID}", &UID.replace('-', "_")).as_bytes()).unwrap()
}

#[test]
fn the_container_is_found_in_every_layout() {
    for (name, text, wanted) in LISTS {
        let place = locate(&list(text), true).unwrap();
        let found = place.as_ref().map(|place| (place.id.as_str(), place.pod.as_deref()));
        assert_eq!(found, *wanted, "{name}");
    }
}

#[test]
fn without_pods_a_container_is_a_container() {
    let place = locate(&list("0::/kubepods/burstable/pod{UID}/{A}\n"), false).unwrap().unwrap();
    assert_eq!((place.id.as_str(), place.pod), (A, None));
    let nested = list("1:cpuset:/docker/{B}/kubepods/besteffort/pod{UID}/{A}\n0::/docker/{B}/init.scope\n");
    assert_eq!(locate(&nested, false), Err(PlaceError::Containers(A.to_owned(), B.to_owned())));
}

#[test]
fn two_containers_or_pods_are_refused() {
    let two = list("2:cpu:/docker/{A}\n1:memory:/docker/{B}\n");
    assert_eq!(locate(&two, true), Err(PlaceError::Containers(A.to_owned(), B.to_owned())));
    let other = UID.replace('a', "b");
    let pods = Cgroups::parse(format!("2:cpu:/pod{UID}/{A}\n1:memory:/pod{other}/{A}\n").as_bytes()).unwrap();
    assert_eq!(locate(&pods, true), Err(PlaceError::Pods(UID.to_owned(), other)));
}

#[test]
fn a_group_that_is_merely_named_like_a_container_does_not_hold_it() {
    let engine = list("0::/system.slice/docker-{A}.scope\n");
    let within = locate(&list("0::/system.slice/docker-{A}.scope/web.service\n"), false).unwrap().unwrap();
    assert!(within.holds(&engine));
    for forged in [
        "0::/user.slice/user-1000.slice/user@1000.service/docker-{A}.scope\n",
        "0::/user.slice/user-1000.slice/user@1000.service/system.slice/docker-{A}.scope\n",
        "0::/system.slice/foo.service/docker-{A}.scope\n",
    ] {
        let place = locate(&list(forged), false).unwrap().unwrap();
        assert_eq!(place.id, A);
        assert!(!place.holds(&engine), "{forged}");
    }
}

#[test]
fn a_process_in_one_group_of_a_container_and_one_elsewhere_is_not_held() {
    let engine = list("2:cpu:/docker/{A}\n1:memory:/docker/{A}\n");
    let half = locate(&list("2:cpu:/docker/{A}\n1:memory:/mine/{A}\n"), false).unwrap().unwrap();
    assert!(!half.holds(&engine));
}
