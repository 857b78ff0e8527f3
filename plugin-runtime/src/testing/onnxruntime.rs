//! A plugin in sessions of ONNX Runtime: a model of one node, and the plugins of this program among the operators.

use std::sync::OnceLock;

use super::conformance::{Place, Suite};
use super::engines::{case, judge};
use super::report::Findings;
use super::shapes::Assignment;
use crate::error::{Error, Result};
use crate::host::onnxruntime::{Library, Session, SessionOptions};
use crate::network::{Network, Preference};
use crate::tactic::first_listed;
use crate::tensor::HostTensor;

const HERE: &str = "in ONNX Runtime";

/// The first version that reads models as networks write them.
const OLDEST: u32 = 18;

/// The one of the process, or why there is none.
fn library() -> Result<&'static Library, &'static str> {
    static FOUND: OnceLock<Result<Library, String>> = OnceLock::new();
    let find = || {
        let library = Library::find().map_err(|error| error.to_string())?;
        match library.interface() {
            OLDEST.. => Ok(library),
            old => Err(format!("it is version 1.{old}, and models of networks need 1.{OLDEST}: take a newer one")),
        }
    };
    FOUND.get_or_init(find).as_ref().map_err(String::as_str)
}

/// Runs the plugin on the CPU at the shapes that it accepts: in one session where extents can be left open.
pub(super) fn check(suite: &Suite, place: &Place<'_>, accepted: &[&Assignment], findings: &mut Findings) {
    let library = match library() {
        Ok(library) => library,
        Err(why) if Library::is_named() => return findings.note(Err(format!("{HERE}: {why}"))),
        Err(why) => return findings.leave_out(format!("{HERE}: {why}")),
    };
    let free = suite.inputs.iter().map(|(dtype, dims)| (*dtype, dims.clone()));
    let shared = suite.subject.network(free, Preference::PreferJit).ok();
    let shared = shared.map(|network| session(library, place, &network));
    for assignment in accepted {
        let outcome = match &shared {
            Some(session) => run(suite, place, assignment, session),
            None => {
                let network = suite.network(assignment, Preference::PreferJit).map_err(Unlike::wrong);
                run(suite, place, assignment, &network.and_then(|network| session(library, place, &network)))
            }
        };
        match outcome {
            Ok(()) => findings.note(Ok(())),
            Err(Unlike::Unfit(why)) => return findings.leave_out(format!("{HERE}: {why}")),
            Err(Unlike::Wrong(why)) => findings.note(Err(format!("{HERE}, {}: {why}", suite.shown(assignment)))),
        }
    }
}

/// Why there isn't what is right.
#[derive(Clone)]
enum Unlike {
    /// The plugin takes no tensors as the host has them.
    Unfit(String),
    /// It does, and it is refused or gives something else.
    Wrong(String),
}

impl Unlike {
    fn wrong(error: Error) -> Self {
        Unlike::Wrong(error.to_string())
    }
}

fn session(library: &Library, place: &Place<'_>, network: &Network) -> Result<Session, Unlike> {
    if let Some(layer) = network.layers.iter().next() {
        first_listed(network, layer, place.device)
            .map_err(|error| Unlike::Unfit(format!("tensors are LINEAR there, and of the network's types: {error}")))?;
    }
    let model = network.to_onnx().map_err(Unlike::wrong)?;
    Session::from_bytes(library, &model, &SessionOptions::new()).map_err(Unlike::wrong)
}

fn run(
    suite: &Suite,
    place: &Place<'_>,
    assignment: &Assignment,
    session: &Result<Session, Unlike>,
) -> Result<(), Unlike> {
    let session = session.as_ref().map_err(Unlike::clone)?;
    let case = case(suite, place, assignment, suite.seed).map_err(Unlike::wrong)?;
    let named: Vec<(&str, &HostTensor)> = suite.names.iter().copied().zip(case.inputs.iter()).collect();
    let outputs = session.run(&named).map_err(Unlike::wrong)?;
    let outputs: Vec<HostTensor> = outputs.into_iter().map(|(_, tensor)| tensor).collect();
    judge(&case, &outputs).map_err(Unlike::Wrong)
}
