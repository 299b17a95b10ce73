//! Builds that are found, and those that are none.

use super::*;

/// A store, and the folder of a build of this library's sources in it.
fn filled(release: &str) -> (tempfile::TempDir, Store, PathBuf) {
    let caches = tempfile::tempdir().unwrap();
    let store = Store::below(caches.path());
    let folder = store.made().unwrap().join(key([release].into_iter()));
    place::make(&folder, 1).unwrap();
    for (name, text) in kbuild::sources() {
        write(&folder.join(name), &text).unwrap();
    }
    for (name, _) in MODULES {
        write(&folder.join(format!("{name}.ko")), "a module").unwrap();
    }
    write(&folder.join(ABOUT), &format!("{release}\ngcc 1\n")).unwrap();
    (caches, store, folder)
}

#[test]
fn what_was_built_is_found_by_its_release() {
    let (_caches, store, folder) = filled("6.1.0-9-made-up");
    let built = store.built("6.1.0-9-made-up").unwrap();
    assert_eq!((built.folder.clone(), built.compiler.as_str()), (folder.clone(), "gcc 1"));
    assert_eq!(built.file("oops"), folder.join("oops.ko"));
    assert_eq!(built.files().len(), MODULES.len());
    let error = store.built("6.1.0-10-made-up").unwrap_err().to_string();
    assert!(error.contains("6.1.0-10-made-up: wireproof modules build --headers DIR"), "{error}");
}

#[test]
fn a_store_that_is_not_there_is_empty_and_not_made() {
    let caches = tempfile::tempdir().unwrap();
    let store = Store::below(&caches.path().join("deep"));
    assert_eq!(store.all().unwrap(), []);
    assert!(matches!(store.built("1"), Err(Error::Missing(_))));
    assert_eq!(fs::read_dir(caches.path()).unwrap().count(), 0);
}

#[test]
fn what_somebody_else_could_have_put_there_is_not_found() {
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let found = |store: &Store| store.built("1").is_ok();
    let (_caches, store, folder) = filled("1");
    assert!(found(&store));
    let module = folder.join("skb_sender.ko");
    set(&module, 0o666);
    assert!(!found(&store));
    set(&module, 0o600);
    set(&folder, 0o755);
    assert!(!found(&store));
    set(&folder, 0o700);
    fs::rename(&module, folder.join("elsewhere")).unwrap();
    assert!(!found(&store));
    std::os::unix::fs::symlink("elsewhere", &module).unwrap();
    assert!(!found(&store));
    fs::rename(folder.join("elsewhere"), &module).unwrap();
    assert!(found(&store));
    // Of other sources: it is told of, and not taken.
    fs::write(folder.join("oops.c"), "int x;").unwrap();
    assert!(!found(&store) && !store.all().unwrap()[0].is_present);
    // The whole of it: no word about what is in it, but an error.
    set(&store.folder, 0o755);
    let error = store.built("1").unwrap_err().to_string();
    assert!(error.contains("no safe folder") && error.contains("chmod 700"), "{error}");
}

#[test]
fn folders_in_which_somebody_builds_are_no_builds() {
    let (_caches, store, folder) = filled("1");
    let work = folder.parent().unwrap().join(format!("{WORK}abc"));
    fs::rename(&folder, &work).unwrap();
    assert_eq!(store.all().unwrap(), []);
}

#[test]
fn other_texts_are_another_key() {
    let of = |texts: &[&str]| key(texts.iter().copied());
    assert_eq!(of(&["a", "b"]).len(), KEY_DIGITS);
    let all = [of(&["a", "b"]), of(&["ab"]), of(&["b", "a"]), of(&["a"]), of(&["a", "b", ""])];
    for (at, one) in all.iter().enumerate() {
        assert!(all[..at].iter().all(|other| other != one), "{at}");
    }
    // The empty text of FNV-1a, and what one byte makes of it.
    assert_eq!(of(&[]), "6c62272e07bb014262b821756295c58d");
}
