use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn the_folder_is_made_and_the_mode_is_set() {
    let dir = folder();
    let path = dir.path().join("public/api.sock");
    let listener = Listener::bind(&path, 0o770).unwrap();
    assert_eq!(fs::metadata(listener.path()).unwrap().permissions().mode() & 0o777, 0o770);
    assert_eq!(fs::read_dir(dir.path().join("public")).unwrap().count(), 1);
}

#[tokio::test]
async fn folders_are_open_to_whom_the_socket_is_open_to() {
    let dir = folder();
    for (name, socket, expected) in [("public", 0o777, 0o755), ("private", 0o770, 0o750)] {
        let outer = dir.path().join(name);
        let _listener = Listener::bind(&outer.join("inner/api.sock"), socket).unwrap();
        for made in [outer.clone(), outer.join("inner")] {
            assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, expected, "{made:?}");
        }
    }
}

#[tokio::test]
async fn a_socket_that_nobody_answers_on_is_replaced() {
    let dir = folder();
    let path = dir.path().join("api.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let listener = Listener::bind(&path, 0o777).unwrap();
    let connecting = UnixStream::connect(&path);
    let (client, _) = tokio::join!(connecting, listener.accept());
    client.unwrap();
}

#[tokio::test]
async fn a_socket_in_use_is_left_alone() {
    let dir = folder();
    let path = dir.path().join("api.sock");
    let _first = Listener::bind(&path, 0o777).unwrap();
    assert!(matches!(Listener::bind(&path, 0o777), Err(UdsError::InUse { .. })));
    assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let dir = folder();
    let path = dir.path().join("api.sock");
    fs::write(&path, "precious").unwrap();
    assert!(matches!(Listener::bind(&path, 0o777), Err(UdsError::NotSocket { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn the_file_goes_with_the_listener_but_not_with_another_ones() {
    let dir = folder();
    let path = dir.path().join("api.sock");
    drop(Listener::bind(&path, 0o777).unwrap());
    assert!(!path.exists());
    let replaced = Listener::bind(&path, 0o777).unwrap();
    fs::remove_file(&path).unwrap();
    let _other = Listener::bind(&path, 0o777).unwrap();
    drop(replaced);
    assert!(path.exists());
}

#[tokio::test]
async fn a_path_that_is_too_long_is_named() {
    let dir = folder();
    let path = dir.path().join("x".repeat(200));
    assert!(matches!(Listener::bind(&path, 0o777), Err(UdsError::TooLong { .. })));
}

#[tokio::test]
async fn who_is_refused_gets_no_connection_and_the_next_one_does() {
    use futures_util::StreamExt as _;
    let dir = folder();
    let path = dir.path().join("api.sock");
    let listener = Listener::bind(&path, 0o777).unwrap();
    let refused = std::sync::atomic::AtomicBool::new(false);
    let identify: Identify<u32> =
        Arc::new(move |_| match refused.swap(true, std::sync::atomic::Ordering::Relaxed) {
            false => Err(io::Error::other("no")),
            true => Ok(7),
        });
    let mut connections = Box::pin(listener.connections(identify));
    let _first = UnixStream::connect(&path).await.unwrap();
    let _second = UnixStream::connect(&path).await.unwrap();
    assert_eq!(*connections.next().await.unwrap().unwrap().peer(), 7);
}
