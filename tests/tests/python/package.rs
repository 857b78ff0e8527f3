//! What the package makes of libraries: functions, errors, wheels.

use tests::command::{library, skipped};

use super::{host, script};

/// A test for each function of package.py.
macro_rules! parts {
    ($($part:ident)*) => { $(
        #[test]
        fn $part() {
            let Some(host) = host(stringify!($part)) else { return };
            let folder = tempfile::tempdir().unwrap();
            let libraries = [library("tests"), library("samples"), library("second-library")];
            let [tests, samples, second] = libraries.each_ref().map(|library| library.as_path());
            let part = std::path::Path::new(stringify!($part));
            let printed = script(&host, "package.py", &[part, tests, samples, second, folder.path()]);
            assert!(printed.contains("fine"), "{printed}");
            if printed.contains("SKIPPED") {
                skipped(stringify!($part), printed.trim());
            }
        }
    )* };
}

parts! {
    functions_look_like_the_plugin
    names_that_are_not_there
    values_that_attributes_take
    values_that_attributes_refuse
    arrays_that_are_refused
    arrays_that_are_copied_first
    updates_in_place
    failures_of_plugins
    shapes_that_change
    a_hundred_thousand_calls
    many_attributes
    eight_threads
    forked
    two_libraries
    the_library_stays
    types_of_ml_dtypes
    a_lockfile_chooses
    outputs_as_expressions
    an_installed_wheel
    the_package_from_its_sources
    types_are_checked
    libraries_that_are_none
}
