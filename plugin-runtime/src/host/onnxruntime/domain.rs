//! The linked plugins by the domains and operators that nodes name them by.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_int};
use std::ptr;
use std::sync::{Mutex, PoisonError};

use super::abi::{Api, OrtCustomOpDomain, OrtSessionOptions};
use super::names;
use super::operators::Group;
use crate::error::{Error, Result};
use crate::plugin::{OWN_DOMAIN, Plugin, Registry};

/// The domains of one runtime.
struct Domains {
    api: Api,
    domains: Vec<Domain>,
}

struct Domain {
    name: CString,
    raw: *mut OrtCustomOpDomain,
}

// SAFETY: a domain that is made is only read.
#[expect(unsafe_code, reason = "a handle that is only read")]
unsafe impl Send for Domain {}

/// Those of each runtime in the process, made once and kept: sessions use them as long as they live.
static MADE: Mutex<Vec<Domains>> = Mutex::new(Vec::new());

/// Adds all linked plugins to the options of a session.
///
/// # Errors
/// When the linked plugins contradict each other, or another library has added one of their domains: nothing is added then.
pub(super) fn add_to(options: *mut OrtSessionOptions, api: Api) -> Result<()> {
    api.check_version()?;
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let position = match made.iter().position(|domains| domains.api == api) {
        Some(position) => position,
        None => {
            made.push(Domains { api, domains: domains(api)? });
            made.len() - 1
        }
    };
    let domains = &made[position].domains;
    let mut free = Vec::new();
    for domain in domains {
        let key = key(&domain.name)?;
        match (is_set(options, api, &key)?, domain.name.is_empty()) {
            (false, _) => free.push((domain, key)),
            // The first library of several has the files that name no domain.
            (true, true) => {}
            (true, false) => {
                return Err(Error::invalid(format_args!(
                    "the domain `{}` was registered with these session options before, by this plugin library or another one: \
                     register each library once, and give the plugins of each a namespace of their own",
                    domain.name.to_string_lossy()
                )));
            }
        }
    }
    for (domain, key) in free {
        // SAFETY: the options are the runtime's, the domain lives for ever, and the texts end with 0 and are copied.
        #[expect(unsafe_code, reason = "calls the runtime")]
        unsafe {
            api.add_config_entry(options, key.as_ptr(), c"1".as_ptr())?;
            api.add_domain(options, domain.raw)?;
        }
    }
    Ok(())
}

/// How libraries of plugins tell each other which domains the options have: the runtime itself says so only when the
/// session is made.
fn key(domain: &CStr) -> Result<CString> {
    CString::new(format!("plugin_runtime.domain.{}", domain.to_string_lossy()))
        .map_err(|_| Error::invalid("a 0 in a name"))
}

fn is_set(options: *const OrtSessionOptions, api: Api, key: &CStr) -> Result<bool> {
    let mut has: c_int = 0;
    // SAFETY: the options are the runtime's, the text ends with 0, and the other pointer is to a local.
    #[expect(unsafe_code, reason = "calls the runtime")]
    unsafe {
        api.has_config_entry(options, key.as_ptr(), &raw mut has)?;
    }
    Ok(has != 0)
}

fn domains(api: Api) -> Result<Vec<Domain>> {
    let mut domains: Vec<Domain> = Vec::new();
    for ((name, operator), members) in names(Registry::global()?) {
        let Some(group) = Group::new(&name, &operator, members) else { continue };
        let c_name = CString::new(name).map_err(|_| Error::invalid("a 0 in a name"))?;
        let raw = match domains.iter().find(|domain| domain.name == c_name) {
            Some(domain) => domain.raw,
            None => {
                let mut raw = ptr::null_mut();
                // SAFETY: the text ends with 0 and is copied; the other pointer is to a local.
                #[expect(unsafe_code, reason = "calls the runtime")]
                unsafe {
                    api.create_domain(c_name.as_ptr(), &raw mut raw)?;
                }
                domains.push(Domain { name: c_name, raw });
                raw
            }
        };
        for operator in Box::leak(Box::new(group)).operators(api) {
            // SAFETY: the domain was just made; the operator lives for ever.
            #[expect(unsafe_code, reason = "calls the runtime")]
            unsafe {
                api.add_operator(raw, operator.raw())?;
            }
        }
    }
    Ok(domains)
}

/// The plugins by domain and operator: by their ids, by the names that they claim, and by their bare names in ONNX's own
/// domain, unless ONNX has such an operator.
fn names(registry: &'static Registry) -> BTreeMap<(String, String), Vec<&'static Plugin>> {
    let mut names: BTreeMap<(String, String), Vec<&'static Plugin>> = BTreeMap::new();
    let mut add = |domain: &str, operator: &str, plugin: &'static Plugin| {
        let domain = if domain == OWN_DOMAIN { "" } else { domain };
        if domain.is_empty() && names::is_taken(operator) {
            return;
        }
        let members = names.entry((domain.to_owned(), operator.to_owned())).or_default();
        if !members.iter().any(|member| ptr::eq(*member, plugin)) {
            members.push(plugin);
        }
    };
    // Those that claim a name come before those that merely have it.
    for plugin in registry.plugins() {
        plugin.entry.onnx.iter().filter_map(|name| name.split_once("::")).for_each(|(d, o)| add(d, o, plugin));
    }
    for plugin in registry.plugins() {
        if let Some((namespace, name)) = plugin.entry.id.split_once("::") {
            add(namespace, name, plugin);
            add("", name, plugin);
        }
    }
    names
}
