//! The table of checks: the name that a rule file gives in `check = "group.name"`, and the function behind it.
//!
//! One file a group, one row a check. A check looks at facts and parameters and says what it finds; it never panics
//! and never guesses: what cannot be told is a gap.

mod config;
mod history;
mod identity;
mod immutability;
mod manager;
mod minimality;
mod privilege;
mod process;
mod provenance;
mod quote;
pub(in crate::rule) mod secrets;
mod shipped;

use super::CheckFn;

/// Every check, sorted by name.
pub static CHECKS: &[(&str, CheckFn)] = &[
    ("config.admin_port_exposed", config::admin_port_exposed),
    ("config.dangerous_env", config::dangerous_env),
    ("config.healthcheck_unresolvable", config::healthcheck_unresolvable),
    ("config.no_healthcheck", config::no_healthcheck),
    ("config.odd_stop_signal", config::odd_stop_signal),
    ("config.privileged_port_exposed", config::privileged_port_exposed),
    ("history.add_instead_of_copy", history::add_instead_of_copy),
    ("history.pipe_to_shell", history::pipe_to_shell),
    ("history.remote_add", history::remote_add),
    ("history.update_alone", history::update_alone),
    ("history.verification_disabled", history::verification_disabled),
    ("identity.duplicate_gid", identity::duplicate_gid),
    ("identity.duplicate_uid", identity::duplicate_uid),
    ("identity.empty_password", identity::empty_password),
    ("identity.login_shell_for_system_user", identity::login_shell_for_system_user),
    ("identity.password_set", identity::password_set),
    ("identity.root_group", identity::root_group),
    ("identity.runs_as_root", identity::runs_as_root),
    ("identity.second_root_account", identity::second_root_account),
    ("identity.uid_below_minimum", identity::uid_below_minimum),
    ("identity.user_not_numeric", identity::user_not_numeric),
    ("identity.user_unknown", identity::user_unknown),
    ("identity.weak_password_hash", identity::weak_password_hash),
    ("immutability.upgrade_in_build", immutability::upgrade_in_build),
    ("immutability.volume_on_system_directory", immutability::volume_on_system_directory),
    ("minimality.apk_cache", minimality::apk_cache),
    ("minimality.apt_lists", minimality::apt_lists),
    ("minimality.build_cache", minimality::build_cache),
    ("minimality.compiler_left", minimality::compiler_left),
    ("minimality.debugger_left", minimality::debugger_left),
    ("minimality.leftover_file", minimality::leftover_file),
    ("minimality.modified_package_file", minimality::modified_package_file),
    ("minimality.package_manager_left", minimality::package_manager_left),
    ("minimality.shell_left", minimality::shell_left),
    ("minimality.too_many_layers", minimality::too_many_layers),
    ("minimality.vcs_directory", minimality::vcs_directory),
    ("minimality.wasted_bytes", minimality::wasted_bytes),
    ("privilege.container_socket", privilege::container_socket),
    ("privilege.file_capability", privilege::file_capability),
    ("privilege.privileged_group_member", privilege::privileged_group_member),
    ("privilege.setuid_dangerous", privilege::setuid_dangerous),
    ("privilege.setuid_file", privilege::setuid_file),
    ("privilege.su_unrestricted", privilege::su_unrestricted),
    ("privilege.sudo_in_build", privilege::sudo_in_build),
    ("privilege.sudo_installed", privilege::sudo_installed),
    ("privilege.sudoers_nopasswd", privilege::sudoers_nopasswd),
    ("privilege.world_writable_directory", privilege::world_writable_directory),
    ("privilege.world_writable_file", privilege::world_writable_file),
    ("process.entrypoint_unresolvable", process::entrypoint_unresolvable),
    ("process.init_system", process::init_system),
    ("process.no_entrypoint", process::no_entrypoint),
    ("process.process_supervisor", process::process_supervisor),
    ("process.shell_form_entrypoint", process::shell_form_entrypoint),
    ("provenance.base_not_pinned", provenance::base_not_pinned),
    ("provenance.eol_distribution", provenance::eol_distribution),
    ("provenance.latest_tag", provenance::latest_tag),
    ("provenance.missing_label", provenance::missing_label),
    ("provenance.unreproducible", provenance::unreproducible),
    ("provenance.untrusted_package_source", provenance::untrusted_package_source),
    ("secrets.generated_at_install", secrets::generated_at_install),
    ("secrets.hash_in_file", secrets::password_hash_in_file),
    ("secrets.in_command", secrets::secret_in_command),
    ("secrets.in_config_file", secrets::secret_in_config_file),
    ("secrets.in_env", secrets::secret_in_env),
    ("secrets.in_history", secrets::secret_in_history),
    ("secrets.sensitive_file", secrets::sensitive_file),
    ("secrets.ssh_host_key", secrets::ssh_host_key),
];

/// The check of that name.
#[must_use]
pub fn find(name: &str) -> Option<CheckFn> {
    CHECKS.iter().find(|(known, _)| *known == name).map(|(_, check)| *check)
}
