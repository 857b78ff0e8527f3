use std::io;

use super::*;
use crate::bail;

#[derive(Debug, thiserror::Error)]
#[error("the outer one")]
struct Outer(#[source] Inmost);

#[derive(Debug, thiserror::Error)]
#[error("the cause")]
struct Inmost;

fn in_a_layer(error: Error) -> Error {
    let layer = LayerContext::new("pad", "ops::pad v1").tactic(Some("Rows".into())).shapes(Some("x FP32 [2]".into()));
    error.in_layer(layer).within("profile 0").within("engine file `a.engine`")
}

#[test]
fn a_kind_shows_through_all_context() {
    let error = in_a_layer(Error::new(ErrorKind::OutOfMemory, "8 bytes are too many"));
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    assert_eq!(error.message(), "8 bytes are too many");
    let text =
        "engine file `a.engine`: profile 0: layer `pad` (ops::pad v1, tactic Rows, x FP32 [2]): 8 bytes are too many";
    assert_eq!(error.to_string(), text);
    assert_eq!(format!("{error:?}"), text);
    let layer = error.layer().unwrap();
    assert_eq!((&*layer.layer, layer.tactic.as_deref()), ("pad", Some("Rows")));
    let places: Vec<String> = error.context().map(ToString::to_string).collect();
    assert_eq!(places[..2], ["engine file `a.engine`", "profile 0"]);
    let again = error.clone();
    assert_eq!((again.kind(), again.to_string()), (error.kind(), text.into()));
}

#[test]
fn debug_shows_the_causes() {
    let error = in_a_layer(Error::from_error(ErrorKind::Plugin, Outer(Inmost)));
    assert!(error.to_string().ends_with(": the outer one"), "{error}");
    assert!(format!("{error:?}").ends_with(": the outer one\n\nCaused by:\n    the cause"), "{error:?}");
    assert!(error.source().is_some_and(|cause| cause.is::<Inmost>()));
    assert!(error.downcast_ref::<Outer>().is_some() && error.downcast_ref::<Inmost>().is_none());
}

#[test]
fn what_an_authors_function_meets_converts() {
    fn said(result: Result<()>) -> (ErrorKind, String) {
        let error = result.unwrap_err();
        (error.kind(), error.to_string())
    }
    let read = || -> Result<()> { Err(io::Error::new(io::ErrorKind::NotFound, "no such file"))? };
    assert_eq!(said(read()), (ErrorKind::Io, "no such file".into()));
    let full = || -> Result<()> { Err(io::Error::from(io::ErrorKind::OutOfMemory))? };
    assert_eq!(said(full()).0, ErrorKind::OutOfMemory);
    let reserved = || -> Result<()> { Ok(Vec::<u8>::new().try_reserve(usize::MAX)?) };
    assert_eq!(said(reserved()).0, ErrorKind::OutOfMemory);
    let number = || -> Result<()> {
        u8::try_from(300)?;
        Ok(())
    };
    assert_eq!(said(number()).0, ErrorKind::Invalid);
    let parsed = || -> Result<()> {
        "x".parse::<f32>()?;
        Ok(())
    };
    assert_eq!(said(parsed()), (ErrorKind::Invalid, "invalid float literal".into()));
    let text = || -> Result<()> {
        String::from_utf8(vec![0xff])?;
        Ok(())
    };
    assert_eq!(said(text()).0, ErrorKind::Invalid);
    let words = || -> Result<()> { Err(format!("{} is odd", 3))? };
    assert_eq!(said(words()), (ErrorKind::Plugin, "3 is odd".into()));
    let boxed = || -> Result<()> { Err(Box::<dyn StdError + Send + Sync>::from("in a box"))? };
    assert_eq!(said(boxed()), (ErrorKind::Plugin, "in a box".into()));
}

#[test]
fn an_own_error_in_a_box_is_itself_again() {
    let own = Error::new(ErrorKind::DeviceLost, "gone").within("here");
    let boxed: Box<dyn StdError + Send + Sync> = own.clone().into();
    assert_eq!(Error::from(boxed).kind(), ErrorKind::DeviceLost);
    let boxed: Box<dyn StdError> = own.into();
    assert_eq!(Error::from(boxed).to_string(), "here: gone");
    let other: Box<dyn StdError + Send + Sync> = Outer(Inmost).into();
    assert!(Error::from(other).source().is_some_and(|cause| cause.is::<Inmost>()));
}

#[test]
fn bail_fits_other_errors_that_this_one_converts_to() {
    fn boxed(fails: bool) -> Result<i32, Box<dyn StdError>> {
        if fails {
            bail!("{} of them", 3);
        }
        Ok(1)
    }
    assert_eq!(boxed(true).unwrap_err().to_string(), "3 of them");
    assert_eq!(boxed(false).unwrap(), 1);
}

#[test]
fn a_result_without_a_value_is_one_pointer() {
    assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    fn changes_threads<T: Send + Sync + 'static>() {}
    changes_threads::<Error>();
}
