//! Switches of many tools, and their near misses.

use super::*;

fn said(line: &str) -> Vec<String> {
    let commands = Command::split(line);
    commands.iter().filter_map(|command| skips_verification(command, 0)).map(|(_, switch)| switch).collect()
}

#[test]
fn switches_of_many_tools() {
    for line in [
        "apt-get -o APT::Get::AllowUnauthenticated=true install x",
        "apt-get -oAcquire::https::Verify-Peer=false update",
        "apt-get -o 'Acquire::https::deb.example.com::Verify-Peer=false' update",
        "dnf install -y --setopt=myrepo.gpgcheck=0 x",
        "dnf install -y --setopt=*.gpgcheck=0 x",
        "dnf --setopt gpgcheck=false install x",
        "yum-config-manager --save --setopt=x.gpgcheck=0",
        "dnf config-manager setopt baseos.gpgcheck=0",
        "git config --global http.https://x.example.sslVerify false",
        "git config --global --add http.sslVerify 0",
        "git -c http.sslverify=false clone https://x",
        "git clone -c http.sslVerify=false https://x",
        "git config core.sshCommand 'ssh -o StrictHostKeyChecking=no'",
        "git -c core.sshCommand='ssh -o StrictHostKeyChecking=no' clone git@x:y",
        "GIT_SSH_COMMAND='ssh -o StrictHostKeyChecking=no' git clone git@x:y",
        "NPM_CONFIG_STRICT_SSL=false npm ci",
        "env npm_config_strict_ssl=false npm ci",
        "GOFLAGS=-insecure go get x",
        "GOSUMDB=off go get x",
        "go env -w GOSUMDB=off",
        "go env -w GOINSECURE=*",
        "bundle config ssl_verify_mode 0",
        "bundle config set --global ssl_verify_mode 0",
        "zypper ar -G http://x y",
        "zypper -n addrepo -fG http://x y",
        "zypper addrepo --no-gpgcheck http://x y",
        "kubectl --insecure-skip-tls-verify get x",
        "kubectl config set-cluster x --insecure-skip-tls-verify=true",
        "aria2c --check-certificate=false https://x",
        "wget --check-certificate=quiet https://x",
        "wget --no-check-certificate https://x",
        "skopeo copy --src-tls-verify=false docker://a b",
        "composer config -g secure-http false",
        "poetry config certificates.foo.cert false",
        "http --verify=no https://x",
        "conda install -k x",
        "npm install --strict-ssl false x",
        "ssh -o 'StrictHostKeyChecking no' x",
        "curl -k \"https://$HOST/\"",
        "curl -k https://localhost/a https://x/b",
        "curl -k https://localhost.example.com/",
        "pip install --trusted-host=x y",
    ] {
        assert_eq!(said(line).len(), 1, "{line}: {:?}", said(line));
    }
    assert_eq!(said("NODE_TLS_REJECT_UNAUTHORIZED=0"), ["NODE_TLS_REJECT_UNAUTHORIZED=0"]);
}

#[test]
fn what_is_no_switch() {
    for line in [
        "curl -sk https://localhost:8443/health",
        "curl -fsS --insecure https://127.0.0.1/ -o x",
        "curl -k 'https://[::1]:8443/'",
        "curl -k --url https://localhost/",
        "curl -k localhost:8443",
        "wget --no-check-certificate https://localhost/",
        "wget --no-check-certificate=off https://x",
        "wget --check-certificate=on https://x",
        "curl https://x -o k -- -k",
        "pip install --trusted-host localhost -i http://localhost:3141/ x",
        "kubectl --insecure-skip-tls-verify=false get x",
        "kubectl -s https://127.0.0.1:6443 --insecure-skip-tls-verify get x",
        "ssh -o StrictHostKeyChecking=no root@localhost ls",
        "scp -o StrictHostKeyChecking=no a localhost:b",
        "git config --global http.https://localhost:3000.sslVerify false",
        "git config http.sslVerify true",
        "git config --unset http.sslVerify",
        "dnf install --setopt=x.gpgcheck=1 y",
        "dnf install --setopt=install_weak_deps=0 y",
        "zypper in -G x",
        "zypper ar -g http://x y",
        "apt-get -o Acquire::Retries=0 update",
        "npm config set strict-ssl true",
        "go env -w GOPROXY=off",
        "tar -k x",
        "echo NPM_CONFIG_STRICT_SSL=false",
        "skopeo copy --src-tls-verify=true docker://a b",
    ] {
        assert!(said(line).is_empty(), "{line}: {:?}", said(line));
    }
}
