use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn made(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

fn pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn describe<T: std::fmt::Debug>(result: Result<T>) -> String {
    format!("{:#}", result.unwrap_err())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn fill(file: &mut (impl io::Write + ?Sized)) -> Result<()> {
    Ok(file.write_all(b"new")?)
}

fn read(path: &Path, within: Option<Within<'_>>, most: u64) -> Result<Option<Vec<u8>>> {
    let Some(mut file) = open_short(path, within, most)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

#[test]
fn only_regular_files_are_read_and_no_link_leads_out() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let inside = made(&root, "a/inside", b"in");
    let outside = made(dir.path(), "outside", b"out");
    let within = Some(Within(&root));
    let read = |path: &Path| self::read(path, within, 100);
    assert_eq!(read(&inside).unwrap(), Some(b"in".to_vec()));
    assert_eq!(read(&root.join("nothing")).unwrap(), None);
    symlink(&inside, root.join("link")).unwrap();
    assert_eq!(read(&root.join("link")).unwrap(), Some(b"in".to_vec()));
    symlink(&outside, root.join("out")).unwrap();
    assert!(describe(read(&root.join("out"))).contains("a link leads out of"));
    symlink(dir.path(), root.join("folder")).unwrap();
    assert!(describe(read(&root.join("folder/outside"))).contains("a link leads out of"));
    symlink("/dev/zero", root.join("zero")).unwrap();
    assert!(describe(self::read(&root.join("zero"), None, 9)).contains("a device; only a regular"));
    pipe(&root.join("pipe"));
    assert!(
        describe(read(&root.join("pipe"))).contains("a pipe; only a regular file is read here")
    );
    assert!(describe(read(&root)).contains("a folder"));
    assert!(describe(self::read(&inside, within, 1)).contains("2 bytes; at most 1 are read"));
    symlink("loop", root.join("loop")).unwrap();
    assert!(describe(read(&root.join("loop"))).contains("cannot read"));
}

#[test]
fn what_is_written_stays_in_the_root_and_replaces_only_regular_files() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let old = made(&root, "a/old", b"old");
    let outside = made(dir.path(), "outside", b"out");
    let write = |path: &Path| write_own(&Real, path, Within(&root), |file| fill(file));
    fs::set_permissions(&old, fs::Permissions::from_mode(0o640)).unwrap();
    write(&old).unwrap();
    assert_eq!((fs::read(&old).unwrap(), mode(&old)), (b"new".to_vec(), 0o640));
    write(&root.join("b/c/new")).unwrap();
    symlink(&outside, root.join("link")).unwrap();
    assert!(describe(write(&root.join("link"))).contains("a link stands there; remove it first"));
    symlink(dir.path(), root.join("folder")).unwrap();
    assert!(describe(write(&root.join("folder/x/y"))).contains("a link leads out of"));
    assert!(!dir.path().join("x").exists());
    pipe(&root.join("pipe"));
    assert!(describe(write(&root.join("pipe"))).contains("a pipe stands there"));
    assert_eq!(fs::read(&outside).unwrap(), b"out");
}

#[test]
fn what_a_user_names_is_followed_and_written_to() {
    let dir = tempfile::tempdir().unwrap();
    let real = made(dir.path(), "real", b"old");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o604)).unwrap();
    let write = |path: &Path| write_given(&Real, path, |file| fill(file));
    symlink("real", dir.path().join("link")).unwrap();
    write(&dir.path().join("link")).unwrap();
    assert_eq!((fs::read(&real).unwrap(), mode(&real)), (b"new".to_vec(), 0o604));
    assert!(fs::symlink_metadata(dir.path().join("link")).unwrap().file_type().is_symlink());
    symlink("made", dir.path().join("dangling")).unwrap();
    write(&dir.path().join("dangling")).unwrap();
    assert_eq!(fs::read(dir.path().join("made")).unwrap(), b"new");
    write(Path::new("/dev/null")).unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    let full = describe(write(Path::new("/dev/full")));
    assert!(full.contains("cannot write /dev/full: No space left"), "{full}");
    let fifo = dir.path().join("pipe");
    pipe(&fifo);
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || fs::read(fifo).unwrap()
    });
    write(&fifo).unwrap();
    assert_eq!(reader.join().unwrap(), b"new");
    assert!(!fs::metadata(&fifo).unwrap().is_file());
    // A new file has what the user's umask leaves.
    write(&dir.path().join("fresh")).unwrap();
    let plain = made(dir.path(), "plain", b"");
    assert_eq!(mode(&dir.path().join("fresh")), mode(&plain));
    let left = below(dir.path(), "tmp").unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn folders_that_link_to_themselves_are_looked_into_once() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    made(&root, "a/one.json", b"");
    made(&root, "b/two.json", b"");
    symlink("..", root.join("a/up")).unwrap();
    symlink(".", root.join("a/self")).unwrap();
    symlink("../b", root.join("a/b")).unwrap();
    symlink("../a", root.join("b/a")).unwrap();
    let names = |files: Vec<PathBuf>| -> Vec<String> {
        let name = |path: &PathBuf| path.strip_prefix(&root).unwrap().display().to_string();
        files.iter().map(name).collect()
    };
    assert_eq!(names(below(&root, "json").unwrap()), ["a/one.json", "b/two.json"]);
    symlink(dir.path(), root.join("out")).unwrap();
    assert!(describe(below(&root, "json")).contains("a link leads out of"));
}

#[test]
fn a_folder_is_held_by_one_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let held = hold(dir.path()).unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    let path = dir.path().to_owned();
    let waits = std::thread::spawn(move || {
        let _held = hold(&path).unwrap();
        send.send(()).unwrap();
    });
    assert!(receive.recv_timeout(std::time::Duration::from_millis(50)).is_err());
    drop(held);
    receive.recv().unwrap();
    waits.join().unwrap();
}
