//! Builds the kernel modules: `just kernel-modules`. Words after it are folders of kernels' headers
//! or trees; without any, the newest headers installed are taken.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use guest::{Error, Headers, build_modules};

fn main() -> ExitCode {
    match build(std::env::args().skip(1).map(PathBuf::from).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build(folders: Vec<PathBuf>) -> Result<(), Error> {
    let given: Result<Vec<Headers>, Error> =
        folders.iter().map(|folder| Headers::at(folder)).collect();
    let all = match given? {
        none if none.is_empty() => vec![Headers::find()?],
        some => some,
    };
    for headers in all {
        let into = Path::new("target/guest-modules").join(&headers.release);
        for module in build_modules(&headers, &into)? {
            println!("{}", module.display());
        }
    }
    Ok(())
}
