//! What is found to be fetched and run, line by line.

use super::*;

fn shown(text: &str) -> String {
    let found = run(&Command::split(text));
    found.map_or_else(String::new, |run| {
        [Some(run.fetcher.to_owned()), run.file, run.by].into_iter().flatten().collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn through_pipes_and_groups() {
    for (text, want) in [
        ("curl u | sh", "curl sh"),
        ("(curl u; echo) | sh", "curl sh"),
        ("{ echo; curl u; } | bash -s -- -y", "curl bash"),
        ("if true; then curl u; fi | sh", "curl sh"),
        ("curl u | (cd /x && sh)", "curl sh"),
        ("curl u | { tee log | bash; }", "curl bash"),
        ("wget -O- u | sudo -E bash -", "wget bash"),
        ("wget -qO - u | python3.11 - --version 1", "wget python3.11"),
        ("curl u | base64 -d | sh -ex", "curl sh"),
        ("curl u | xargs -0 bash -c", "curl bash"),
        ("curl u | while read -r l; do eval \"$l\"; done", "curl eval"),
        ("curl u | php -- --install-dir=/x", "curl php"),
        ("curl u | su -c sh", "curl sh"),
        ("curl u | su - app -c bash", "curl bash"),
        ("curl u | su app", "curl su"),
        ("curl u | sudo -i", "curl sudo"),
        ("curl u | sudo -iu app", "curl sudo"),
        ("curl u | sudo -u app -s", "curl sudo"),
        ("curl u | chroot /mnt", "curl chroot"),
        ("curl u | chroot /mnt sh", "curl sh"),
        ("curl u | xargs -I{} sh -c '{}'", "curl sh"),
        ("curl u | xargs -I{} sh -c 'wget \"$0\"' {}", ""),
        ("curl u | sudo -u si tee a", ""),
        ("curl u | sudo su -s /bin/sh app --command='cat | python3 -'", "curl python3"),
        ("curl u | bash -c 'tee log | sh'", "curl sh"),
        ("curl u | sh -c \"su -c 'bash -s x' app\"", "curl bash"),
        ("php -r \"readfile('https://x/i');\" | php", "php php"),
        ("curl u | su -c 'cat > a'", ""),
        ("curl u | bash -n", ""),
        ("curl u | bash -xn", ""),
        ("curl u | sh -o noexec", ""),
        ("curl u | php -l", ""),
        ("curl u | ruby -wc", ""),
        ("curl u | perl -c -", ""),
        ("curl u | node --check -", ""),
        ("curl u | sh --version", ""),
        ("cat a | sh", ""),
        ("curl u | tar xz && sh a", ""),
        ("curl u | jq .", ""),
        ("(curl u; echo) | cat; sh a", ""),
        ("curl u; sh", ""),
        ("curl -o /dev/null u | sh", ""),
        ("wget u/a | sh", ""),
        ("curl u | python -m json.tool", ""),
        ("curl u | perl -pe s/a/b/", ""),
        ("curl u | sha256sum -c - | sh", ""),
    ] {
        assert_eq!(shown(text), want, "{text}");
    }
}

#[test]
fn through_files() {
    for (text, want) in [
        ("curl -o a.sh u && sh a.sh", "curl a.sh sh"),
        ("curl -fsSLo a.sh u && sh ./a.sh", "curl ./a.sh sh"),
        ("curl u > /tmp/a && chmod +x /tmp/a && /tmp/a", "curl /tmp/a"),
        ("curl u | tee a >/dev/null; . ./a", "curl ./a ."),
        ("{ curl u; } > a; sh < a", "curl sh"),
        ("cd /tmp && wget https://x/i.sh?v=1 && bash /tmp/i.sh", "wget /tmp/i.sh bash"),
        ("wget -P /opt https://x/i.sh; bash /opt/i.sh", "wget /opt/i.sh bash"),
        ("curl -O https://x/get-pip.py && python3 get-pip.py", "curl get-pip.py python3"),
        ("curl -o \"$f\" u; sh ${f}", "curl ${f} sh"),
        ("curl -o /tmp/x u && install -m 755 /tmp/x /usr/local/bin/x && x -i", "curl /usr/local/bin/x"),
        ("curl -o a.gz u && gunzip a.gz && sh a", "curl a sh"),
        ("curl -o a u; mv a /opt/; /opt/a", "curl /opt/a"),
        ("curl u | sudo sh -c 'cat > /a'; sh /a", "curl /a sh"),
        ("curl u | su -c \"tee a | wc\" app && sh a", "curl a sh"),
        ("curl -o a u; bash -n a && bash a", "curl a bash"),
        ("curl -o a u; php -f a", "curl a php"),
        ("curl -o a u; cmp b c; sh a", "curl a sh"),
        ("curl -o a u && curl -o b u && cmp a b && sh a", "curl a sh"),
        ("php -r \"copy('https://x/i', 's.php');\" && php s.php", "php s.php php"),
        ("php -r \"eval(file_get_contents('https://x/i'));\"", "php php"),
        ("php -r \"include 'https://x/i';\"", "php php"),
        (
            "python3 -c 'import urllib.request as r; r.urlretrieve(\"https://x/i\", \"i.py\")'; python3 i.py",
            "python i.py python3",
        ),
        ("python3 -c 'exec(__import__(\"urllib.request\").request.urlopen(\"https://x/i\").read())'", "python python3"),
        ("perl -MLWP::Simple -e 'getstore(\"https://x/i\", \"i.sh\")' && sh i.sh", "perl i.sh sh"),
        ("ruby -ropen-uri -e 'eval URI.open(\"https://x/i\").read'", "ruby ruby"),
        (
            "php -r \"copy('https://x/i', 's.php');\" && php -r \"if (hash_file('sha384', 's.php') !== 'h') exit(1);\" && php s.php",
            "",
        ),
        ("php -r \"copy('https://x/i', 's.php');\" && php -l s.php", ""),
        ("php -r \"copy('a', 's.php');\" && php s.php", ""),
        ("python3 -c 'print(\"https://x/i\")' && sh i", ""),
        ("php -r \"\\$c = curl_init('https://x/v'); echo curl_exec(\\$c);\" > v && sh i", ""),
        ("node -e \"const b = require('./i.js'); b('https://x')\" && node ./i.js", ""),
        ("node -e \"require('https').get('https://x/i', r => r.pipe(process.stdout))\" | sh", "node sh"),
        ("curl -o i.sh u && cmp i.sh /known && sh i.sh", ""),
        ("curl -o i.sh u && diff -q /known ./i.sh && sh i.sh", ""),
        ("curl -o a u && bash -n a", ""),
        ("cat a | sh; curl -o b u; sh c", ""),
        ("curl -o a u", ""),
        ("curl -o a u; echo x > a; sh a", ""),
        ("curl -o a.tgz u && tar xf a.tgz && ./configure", ""),
        ("curl -o a u && echo 'h  a' | sha256sum -c - && sh a", ""),
        ("curl -o a u && gpg --verify a.asc a && sh a", ""),
        ("curl -o a u && [ \"$(sha256sum a | cut -c1-64)\" = h ] && sh a", ""),
        ("curl -o a u && sha256sum a | grep -q h && sh a", ""),
        ("curl -o a u && sha256sum a && sh a", "curl a sh"),
        ("sh a && curl -o a u", ""),
    ] {
        assert_eq!(shown(text), want, "{text}");
    }
}

#[test]
fn through_words_and_variables() {
    for (text, want) in [
        ("sh -c \"$(curl u)\" -- -y", "curl sh"),
        ("python3 -c \"$(curl u)\"", "curl python3"),
        ("perl -we \"`wget -qO- u`\"", "wget perl"),
        ("bash <(curl u)", "curl bash"),
        ("bash < <(curl u)", "curl bash"),
        ("bash <<< \"$(curl u)\"", "curl bash"),
        ("source <(curl u)", "curl source"),
        ("eval \"$(curl u | sed s/a/b/)\"", "curl eval"),
        ("x=$(curl u); eval \"$x\"", "curl eval"),
        ("export X=\"$(curl u)\"; echo \"$X\" | sh", "curl sh"),
        ("x=$(curl -o a u; cat a); bash -c \"${x}\"", "curl bash"),
        ("$(curl u)", "curl the shell"),
        ("bash -c 'curl u | sh'", "curl sh"),
        ("v=$(curl u | jq -r .tag); curl -o a https://x/$v; tar xf a", ""),
        ("[ \"$(curl u)\" = ok ] && sh a", ""),
        ("sh -c 'echo $(curl u)'", ""),
        ("echo 'curl u | sh'", ""),
        ("x=$(curl u); x=1; eval \"$x\"", ""),
    ] {
        assert_eq!(shown(text), want, "{text}");
    }
}

#[test]
fn bounded_whatever_comes() {
    for piece in [
        "curl -o a u; ",
        "(curl u; ",
        "x=$(curl $(",
        "cd a; ",
        "curl u | ",
        "tee a b c | ",
        "{ echo `",
        "curl u | su -c \"sh -c 'cat' \" | ",
    ] {
        let _ = run(&Command::split(&piece.repeat(20_000)));
    }
}
