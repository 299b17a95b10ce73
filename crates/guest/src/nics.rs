//! Which of a guest's interfaces is where under which name, and what brings it elsewhere. Knows the
//! agent's functions; no channel and no frame.

use wire::Mac;

use crate::error::Error;

/// How an interface is to look in the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nic {
    /// Which port it is.
    pub port: usize,
    /// Its name there.
    pub name: String,
    /// Its address.
    pub mac: Mac,
    /// Its MTU.
    pub mtu: u32,
}

/// All interfaces of a machine.
#[derive(Debug)]
pub(crate) struct Nics {
    /// Each one's name, wherever it is.
    names: Vec<String>,
    /// Those in the shell's namespace.
    plugged: Vec<usize>,
}

impl Nics {
    /// As they are after a boot: all with the machine.
    pub(crate) fn new(ports: usize) -> Self {
        let names = (0..ports).map(|port| format!("eth{port}")).collect();
        Self { names, plugged: Vec::new() }
    }

    /// What gives all of them back to the machine, each under the name that it has.
    pub(crate) fn leave(&mut self) -> String {
        let leaving = std::mem::take(&mut self.plugged);
        let mut script = String::new();
        for port in &leaving {
            let with_machine = |other: &usize| !leaving.contains(other);
            let mut others = (0..self.names.len()).filter(with_machine);
            if others.any(|other| self.names[other] == self.names[*port]) {
                script += &format!("ip link set '{}' down\n", self.names[*port]);
                script += &self.rename(*port, free(*port));
            }
        }
        script + &self.all("give", &leaving)
    }

    /// What brings these into the shell's namespace, in which there are none yet, and up.
    pub(crate) fn enter(&mut self, nics: &[Nic]) -> Result<String, Error> {
        self.judge(nics)?;
        let ports: Vec<usize> = nics.iter().map(|nic| nic.port).collect();
        let mut script = self.all("take", &ports);
        let others =
            |nic: &&Nic| self.names[nic.port] != nic.name && self.names.contains(&nic.name);
        if nics.iter().any(|nic| others(&nic)) {
            // Some have each other's names: each of them gets one that nobody has first.
            for Nic { port, name, .. } in nics {
                if self.names[*port] != *name {
                    script += &self.rename(*port, free(*port));
                }
            }
        }
        for Nic { port, name, mac, mtu } in nics {
            script += &self.rename(*port, name.clone());
            script += &format!("raise '{name}' {mac} {mtu} || return\n");
        }
        self.plugged = ports;
        Ok(format!("enter() {{\n{script}}}\nenter"))
    }

    fn judge(&self, nics: &[Nic]) -> Result<(), Error> {
        if !self.plugged.is_empty() {
            let text = "a guest's interfaces are plugged all at once, after it is emptied";
            return Err(Error::Plan(text.to_owned()));
        }
        for (at, Nic { port, name, .. }) in nics.iter().enumerate() {
            let twice = nics[..at].iter().any(|nic| nic.port == *port || nic.name == *name);
            let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let named = (1..16).contains(&name.len()) && name.chars().all(good);
            let taken = ["lo", "all", "default", ".", ".."].contains(&name.as_str());
            let ports = self.names.len();
            if *port >= ports || twice || !named || taken {
                let text = format!("port {port} of a guest with {ports} cannot be called {name:?}");
                return Err(Error::Plan(text));
            }
        }
        Ok(())
    }

    fn rename(&mut self, port: usize, name: String) -> String {
        if self.names[port] == name {
            return String::new();
        }
        let script = format!("ip link set '{}' name '{name}' || return\n", self.names[port]);
        self.names[port] = name;
        script
    }

    fn all(&self, function: &str, ports: &[usize]) -> String {
        if ports.is_empty() {
            return String::new();
        }
        let names: String = ports.iter().map(|port| format!(" '{}'", self.names[*port])).collect();
        format!("{function}{names} || return\n")
    }
}

/// A name for a port's interface that no [`Nic`] can ask for.
fn free(port: usize) -> String {
    format!("~{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nic(port: usize, name: &str) -> Nic {
        Nic { port, name: name.to_owned(), mac: Mac([2; 6]), mtu: 1500 }
    }

    /// Does what a script says to the names on both sides: the machine's and the namespace's.
    fn follow(script: &str, machine: &mut Vec<String>, inside: &mut Vec<String>) {
        for line in script.lines() {
            let line = line.trim_end_matches(" || return");
            let words: Vec<&str> = line.split(' ').map(|word| word.trim_matches('\'')).collect();
            match words[0] {
                "take" | "give" => {
                    let take = words[0] == "take";
                    let (from, to) = if take {
                        (&mut *machine, &mut *inside)
                    } else {
                        (&mut *inside, &mut *machine)
                    };
                    for name in &words[1..] {
                        let at = from.iter().position(|here| here == name).expect(line);
                        assert!(!to.iter().any(|there| there == name), "{line} in {script}");
                        to.push(from.remove(at));
                    }
                }
                "ip" if words[4] == "name" => {
                    assert!(!inside.iter().any(|there| there == words[5]), "{line} in {script}");
                    let at = inside.iter().position(|here| here == words[3]).expect(line);
                    inside[at] = words[5].to_owned();
                }
                "raise" => assert!(inside.iter().any(|there| there == words[1]), "{line}"),
                _ => {}
            }
        }
    }

    #[test]
    fn no_name_is_ever_taken_twice() {
        let mut nics = Nics::new(3);
        let (mut machine, mut inside) = (nics.names.clone(), Vec::new());
        for wanted in [
            vec![nic(0, "eth1"), nic(1, "eth0")],
            vec![nic(0, "eth2")],
            vec![nic(1, "eth2"), nic(2, "eth0"), nic(0, "eth1")],
            vec![nic(0, "a"), nic(1, "eth1")],
            vec![],
            vec![nic(2, "a"), nic(1, "b")],
            vec![nic(0, "a"), nic(1, "b"), nic(2, "c")],
        ] {
            follow(&nics.leave(), &mut machine, &mut inside);
            assert_eq!((machine.len(), inside.len()), (3, 0));
            follow(&nics.enter(&wanted).unwrap(), &mut machine, &mut inside);
            let mut names: Vec<&str> = wanted.iter().map(|nic| nic.name.as_str()).collect();
            let mut there: Vec<&str> = inside.iter().map(String::as_str).collect();
            names.sort_unstable();
            there.sort_unstable();
            assert_eq!(there, names);
        }
    }

    #[test]
    fn what_cannot_be_plugged_is_told() {
        let mut nics = Nics::new(2);
        for wrong in [
            vec![nic(2, "c")],
            vec![nic(1, "a b")],
            vec![nic(1, "")],
            vec![nic(1, "lo")],
            vec![nic(0, "a"), nic(1, "a")],
            vec![nic(0, "a"), nic(0, "b")],
        ] {
            assert!(matches!(nics.enter(&wrong), Err(Error::Plan(_))), "{wrong:?}");
        }
        assert!(nics.enter(&[nic(0, "a")]).is_ok());
        assert!(matches!(nics.enter(&[nic(1, "b")]), Err(Error::Plan(_))));
    }
}
