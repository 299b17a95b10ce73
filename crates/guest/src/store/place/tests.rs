//! What is refused of the ways to a folder, and what is not.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn check(cache: Option<&str>, home: Option<&str>) -> Result<PathBuf, String> {
    caches(cache.map(OsString::from), home.map(OsString::from))
}

#[test]
fn only_absolute_folders_can_be_named() {
    let home = Some("/home/me");
    assert_eq!(check(Some("/caches"), home).unwrap(), Path::new("/caches"));
    assert_eq!(check(None, home).unwrap(), Path::new("/home/me/.cache"));
    assert_eq!(check(Some(""), home).unwrap(), Path::new("/home/me/.cache"));
    for (cache, home) in [
        (Some(".cache"), home),
        (Some("target"), home),
        (Some("/home/me/../other"), home),
        (None, Some(".")),
        (None, Some("")),
        (None, None),
    ] {
        let error = check(cache, home).unwrap_err();
        assert!(error.contains("set XDG_CACHE_HOME"), "{cache:?} {home:?}: {error}");
    }
}

#[test]
fn what_another_user_can_write_is_refused_with_the_way_out() {
    let place = tempfile::tempdir().unwrap();
    let way = place.path().join("a/b");
    let whole = way.join("c/d");
    assert_eq!(go(&whole).unwrap(), (whole.clone(), 4));
    make(&whole, 4).unwrap();
    assert_eq!(go(&whole).unwrap(), (whole.clone(), 0));
    is_ours(&whole).unwrap();
    for mode in [0o770, 0o707, 0o777] {
        set(&way, mode);
        let error = go(&whole).unwrap_err();
        assert!(error.contains("others can write into") && error.contains("chmod go-w"), "{error}");
    }
    // As in /tmp: nobody moves what is another's.
    set(&way, 0o1777);
    go(&whole).unwrap();
    set(&way, 0o755);
    go(&whole).unwrap();
    for mode in [0o750, 0o701, 0o720] {
        set(&whole, mode);
        let error = is_ours(&whole).unwrap_err();
        assert!(error.contains("chmod 700"), "{error}");
    }
    fs::remove_dir(&whole).unwrap();
    fs::write(&whole, "").unwrap();
    assert!(go(&whole).unwrap_err().contains("is no folder"));
    assert!(is_ours(&whole).is_err());
}

#[test]
fn links_are_followed_and_judged_by_where_they_lead() {
    let place = tempfile::tempdir().unwrap();
    let [real, open] = ["real", "open"].map(|name| place.path().join(name));
    fs::create_dir(&real).unwrap();
    fs::create_dir(&open).unwrap();
    set(&open, 0o777);
    symlink("real", place.path().join("near")).unwrap();
    symlink(&real, place.path().join("far")).unwrap();
    symlink("real/../open", place.path().join("bad")).unwrap();
    symlink("loop", place.path().join("loop")).unwrap();
    for name in ["near", "far"] {
        assert_eq!(go(&place.path().join(name).join("x")).unwrap(), (real.join("x"), 1), "{name}");
    }
    assert!(go(&place.path().join("bad/x")).unwrap_err().contains("others can write"));
    assert!(go(&place.path().join("loop/x")).unwrap_err().contains("has no end"));
    // What is kept is never a link.
    assert!(is_ours(&place.path().join("near")).is_err());
    fs::write(real.join("file"), "").unwrap();
    symlink("file", real.join("link")).unwrap();
    assert!(is_our_file(&real.join("file")) && !is_our_file(&real.join("link")));
    set(&real.join("file"), 0o666);
    assert!(!is_our_file(&real.join("file")) && !is_our_file(&real));
}

#[test]
fn folders_of_other_users_are_refused() {
    let trusted = Trusted { us: geteuid().as_raw() + 1, unseen: None };
    let place = tempfile::tempdir().unwrap();
    let error = folder(place.path(), trusted);
    // Root's are everybody's way.
    assert_eq!(error.is_err(), !geteuid().is_root(), "{error:?}");
    folder(Path::new("/"), trusted).unwrap();
    if geteuid().is_root() {
        std::os::unix::fs::chown(place.path(), Some(12_345), None).unwrap();
        let error = go(&place.path().join("x")).unwrap_err();
        assert!(error.contains("is user 12345's"), "{error}");
        assert!(is_ours(place.path()).is_err());
        let unseen = Trusted { us: 0, unseen: Some(12_345) };
        folder(place.path(), unseen).unwrap();
    }
}

#[test]
fn no_folder_in_a_repository_is_taken() {
    let place = tempfile::tempdir().unwrap();
    let caches = place.path().join("home/.cache/wireproof/modules");
    go(&caches).unwrap();
    for names in [&[".git"][..], &["scenarios", "golden-pcaps"]] {
        for name in names {
            fs::create_dir(place.path().join(name)).unwrap();
        }
        let error = go(&caches).unwrap_err();
        assert!(error.contains("lies in the repository"), "{error}");
        fs::remove_dir(place.path().join(names[0])).unwrap();
        go(&caches).unwrap();
    }
    // A work tree of git has a file there.
    make(&caches, 4).unwrap();
    fs::write(place.path().join("home/.git"), "gitdir: /x").unwrap();
    assert!(go(&caches).is_err());
}
