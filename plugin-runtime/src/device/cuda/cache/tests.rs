//! The cache with images that are made up, in folders of their own.

use std::process::Command;

use super::*;

const IMAGE: &[u8] = b"\x7fELF and the rest";

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("plugin-runtime-cache-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Folder(path)
    }

    fn cache(&self) -> Cache {
        Cache { folder: self.0.join("deep/er") }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn key(text: &str, options: &[&str]) -> Key {
    let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
    Key::new(&Request { text, name: "k.cu", headers: &[("h", "text")], options: &options }, (13, 0))
}

fn only_file(cache: &Cache) -> PathBuf {
    let files: Vec<_> = fs::read_dir(&cache.folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn what_is_stored_is_found_again() {
    let folder = Folder::new("again");
    let (cache, key) = (folder.cache(), key("a", &["x"]));
    assert_eq!(cache.load(&key), None);
    for image in [IMAGE, b"", &[7; 100_000]] {
        cache.store(&key, image);
        assert_eq!(cache.load(&key).as_deref(), Some(image));
        only_file(&cache);
    }
}

#[test]
fn everything_that_matters_is_in_the_key() {
    let request = Request { text: "t", name: "n", headers: &[("h", "i")], options: &["o".to_owned(), "p".to_owned()] };
    let keys = [
        Key::new(&request, (13, 0)),
        Key::new(&request, (13, 1)),
        Key::new(&request, (12, 0)),
        Key::new(&Request { text: "tn", name: "", ..request }, (13, 0)),
        Key::new(&Request { name: "m", ..request }, (13, 0)),
        Key::new(&Request { headers: &[("hi", "")], ..request }, (13, 0)),
        Key::new(&Request { headers: &[("h", "i"), ("h", "i")], ..request }, (13, 0)),
        Key::new(&Request { headers: &[], ..request }, (13, 0)),
        Key::new(&Request { options: &["op".to_owned()], ..request }, (13, 0)),
        Key::new(&Request { options: &["p".to_owned(), "o".to_owned()], ..request }, (13, 0)),
    ];
    for (at, key) in keys.iter().enumerate() {
        let same = |other: &Key| other.bytes == key.bytes || other.file_name == key.file_name;
        assert!(!keys[..at].iter().any(same), "{at}");
    }
}

#[test]
fn without_a_compiler_what_any_version_made_is_found() {
    let folder = Folder::new("any");
    let cache = folder.cache();
    let options = |options: &[&str]| options.iter().map(|&option| option.to_owned()).collect::<Vec<_>>();
    let (wanted, plain) = (options(&["--arch=a", "-O"]), options(&[]));
    let request = Request { text: "t", name: "n", headers: &[("h", "i")], options: &wanted };
    assert_eq!(cache.load_of_any_compiler(&request), None, "there is no folder");
    let beside = options(&["--arch=a", "--include-path=/cuda/include", "--include-path=/more", "-O"]);
    let other = options(&["--arch=b", "-O"]);
    let longer = options(&["--arch=a", "-O", "-G"]);
    for (at, request) in [
        Request { options: &other, ..request },
        Request { options: &longer, ..request },
        Request { options: &plain, ..request },
        Request { text: "T", ..request },
        Request { headers: &[], ..request },
        Request { name: "m", ..request },
    ]
    .into_iter()
    .enumerate()
    {
        cache.store(&Key::new(&request, (99, at as u32)), b"another's");
    }
    assert_eq!(cache.load_of_any_compiler(&request), None);
    for (version, options, image) in
        [((12, 4), &wanted, b"twelve"), ((13, 1), &beside, b"newest"), ((13, 0), &wanted, b"thirty")]
    {
        cache.store(&Key::new(&Request { options, ..request }, version), image);
    }
    assert_eq!(cache.load_of_any_compiler(&request).as_deref(), Some(&b"newest"[..]));
    let newest = cache.path(&Key::new(&Request { options: &beside, ..request }, (13, 1)));
    let whole = fs::read(&newest).unwrap();
    for byte in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[byte] ^= 0x10;
        fs::write(&newest, &damaged).unwrap();
        assert_eq!(cache.load_of_any_compiler(&request).as_deref(), Some(&b"thirty"[..]), "byte {byte} changed");
        fs::write(&newest, &whole[..byte]).unwrap();
        assert_eq!(cache.load_of_any_compiler(&request).as_deref(), Some(&b"thirty"[..]), "cut to {byte} bytes");
    }
    fs::remove_file(&newest).unwrap();
    fs::create_dir(&newest).unwrap();
    assert_eq!(cache.load_of_any_compiler(&request).as_deref(), Some(&b"thirty"[..]), "a folder has its name");
}

#[test]
fn a_damaged_file_is_ignored_and_replaced() {
    let folder = Folder::new("damaged");
    let (cache, key) = (folder.cache(), key("a", &["x"]));
    cache.store(&key, IMAGE);
    let path = only_file(&cache);
    let whole = fs::read(&path).unwrap();
    for bytes in 0..whole.len() {
        fs::write(&path, &whole[..bytes]).unwrap();
        assert_eq!(cache.load(&key), None, "cut to {bytes} bytes");
        let mut flipped = whole.clone();
        flipped[bytes] ^= 0x10;
        fs::write(&path, &flipped).unwrap();
        assert_eq!(cache.load(&key), None, "byte {bytes} changed");
    }
    fs::write(&path, [&whole[..], b"!"].concat()).unwrap();
    assert_eq!(cache.load(&key), None, "longer");
    cache.store(&key, IMAGE);
    assert_eq!(cache.load(&key).as_deref(), Some(IMAGE));
}

#[test]
fn another_programs_file_is_ignored() {
    let folder = Folder::new("foreign");
    let (cache, mine, other) = (folder.cache(), key("a", &["x"]), key("b", &["x"]));
    cache.store(&other, IMAGE);
    fs::rename(only_file(&cache), cache.path(&mine)).unwrap();
    assert_eq!(cache.load(&mine), None);

    fs::remove_file(cache.path(&mine)).unwrap();
    fs::create_dir(cache.path(&mine)).unwrap();
    cache.store(&mine, IMAGE);
    assert_eq!(cache.load(&mine), None, "a folder has its name");
}

#[test]
fn a_folder_that_cant_be_written_is_no_error() {
    let folder = Folder::new("unwritable");
    fs::create_dir_all(&folder.0).unwrap();
    // Not even root makes a folder below a file.
    fs::write(folder.0.join("deep"), "").unwrap();
    let (cache, key) = (folder.cache(), key("a", &[]));
    cache.store(&key, IMAGE);
    assert_eq!(cache.load(&key), None);
}

#[test]
fn the_environment_says_where() {
    let of = |variables: &[(&str, &str)]| {
        let find = |name: &str| variables.iter().find(|variable| variable.0 == name).map(|variable| variable.1.into());
        Cache::from_environment(&find).map(|cache| cache.folder)
    };
    let all = [("PLUGIN_RUNTIME_CACHE", "/mine"), ("XDG_CACHE_HOME", "/xdg"), ("HOME", "/home/me")];
    assert_eq!(of(&all), Some("/mine".into()));
    assert_eq!(of(&all[1..]), Some("/xdg/plugin-runtime".into()));
    assert_eq!(of(&all[2..]), Some("/home/me/.cache/plugin-runtime".into()));
    assert_eq!(of(&[("XDG_CACHE_HOME", "relative"), all[2]]), Some("/home/me/.cache/plugin-runtime".into()));
    assert_eq!(of(&[("PLUGIN_RUNTIME_CACHE", ""), all[1]]), None, "turned off");
    assert_eq!(of(&[]), None);
}

/// How often each of those at work stores and loads.
const ROUNDS: usize = 50;

/// Two programs, each with an image of its own, so that a mixed-up one would show.
fn store_and_load(cache: &Cache) {
    for round in 0..ROUNDS {
        for (text, byte) in [("a", 1), ("b", 2)] {
            let (key, image) = (key(text, &["x"]), vec![byte; 50_000]);
            assert!(cache.load(&key).is_none_or(|found| found == image), "round {round}");
            cache.store(&key, &image);
            assert_eq!(cache.load(&key), Some(image), "round {round}");
        }
    }
}

const FOLDER_OF_PARALLEL_PROCESS: &str = "PLUGIN_RUNTIME_TEST_CACHE";

#[test]
fn a_parallel_process() {
    if let Some(folder) = std::env::var_os(FOLDER_OF_PARALLEL_PROCESS) {
        store_and_load(&Cache { folder: folder.into() });
    }
}

#[test]
fn threads_and_processes_at_once_see_whole_files() {
    let folder = Folder::new("at-once");
    let cache = folder.cache();
    let mut processes: Vec<_> = (0..2)
        .map(|_| {
            let mut process = Command::new(std::env::current_exe().unwrap());
            process.args(["--exact", "device::cuda::cache::tests::a_parallel_process"]);
            process.env(FOLDER_OF_PARALLEL_PROCESS, &cache.folder).spawn().unwrap()
        })
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| store_and_load(&cache));
        }
    });
    for process in &mut processes {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), 2, "nothing but the two programs is left");
}
