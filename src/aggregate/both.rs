//! Two runs of the same services, side by side: each path has the same template in both.

use super::endpoints::{Aggregate, Leaf, Service};
use super::rows::Rows;
use std::collections::{BTreeMap, BTreeSet};

impl Aggregate {
    /// The endpoints of two runs by the same templates, which are made of the paths of both. A service that is called by
    /// another name later (another port or, where there is but one, another host) has its later name in both.
    pub fn rows_of_both(before: &mut Self, after: &mut Self) -> [Rows; 2] {
        before.rename(&renamed(&before.services(), &after.services()));
        before.take_paths(after);
        after.take_paths(before);
        [before.rows(), after.rows()]
    }

    fn services(&self) -> BTreeSet<Service> {
        self.groups.iter().map(|group| group.service.clone()).collect()
    }

    /// Knows the other one's paths, too, without a call of them.
    fn take_paths(&mut self, other: &Self) {
        let numbers: Vec<_> = other.groups.iter().map(|group| self.group(group)).collect();
        let mut key = Vec::new();
        for leaf in other.leaves.keys().filter_map(|key| Leaf::read(key)) {
            let Some(&group) = numbers.get(leaf.group as usize) else { continue };
            key.clear();
            Leaf { group, ..leaf }.write(&mut key);
            self.leaf(&key);
        }
    }
}

/// The names that services of one run have in another, where they differ and it is certain which is which.
fn renamed(before: &BTreeSet<Service>, after: &BTreeSet<Service>) -> BTreeMap<Service, Service> {
    if let (1, 1, Some(one), Some(other)) = (before.len(), after.len(), before.first(), after.first()) {
        return BTreeMap::from([(one.clone(), other.clone())]);
    }
    let by_host = |of: &BTreeSet<Service>, others: &BTreeSet<Service>| {
        let mut hosts: BTreeMap<Vec<u8>, Vec<Service>> = BTreeMap::new();
        for service in of.difference(others) {
            hosts.entry(host(service)).or_default().push(service.clone());
        }
        hosts
    };
    let (ours, mut theirs) = (by_host(before, after), by_host(after, before));
    let pairs = ours.into_iter().filter_map(|(host, ours)| {
        let theirs = theirs.remove(&host)?;
        match (<[_; 1]>::try_from(ours), <[_; 1]>::try_from(theirs)) {
            (Ok([one]), Ok([other])) => Some((one, other)),
            _ => None,
        }
    });
    pairs.collect()
}

/// A service's host, without its port.
fn host(service: &Service) -> Vec<u8> {
    match service {
        Service::Server(server) => server.ip().to_string().into_bytes(),
        Service::Authority(authority) => {
            let port = authority.iter().rposition(|&byte| byte == b':');
            let is_port =
                |at: &usize| authority.get(at + 1..).is_some_and(|port| port.iter().all(u8::is_ascii_digit));
            authority.get(..port.filter(is_port).unwrap_or(authority.len())).unwrap_or_default().to_vec()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::exchange;
    use super::super::{Exchange, Templates};
    use super::*;

    fn run(calls: impl IntoIterator<Item = (String, String)>) -> Aggregate {
        let mut run = Aggregate::new(Templates::default().into(), 8 << 20);
        for (authority, path) in calls {
            run.add(&Exchange { authority: Some(authority.as_bytes()), ..exchange(&path, 1) });
        }
        run
    }

    fn named(rows: &Rows) -> Vec<String> {
        let mut names: Vec<_> = rows
            .rows
            .iter()
            .map(|row| {
                format!("{}{} {}", row.authority.as_deref().unwrap_or_default(), row.kind, row.stats.calls)
            })
            .collect();
        names.sort();
        names
    }

    fn shop(name: &str) -> (String, String) {
        ("shop.example".to_owned(), format!("/items/{name}/price"))
    }

    #[test]
    fn what_is_a_value_in_one_run_is_one_in_the_other() {
        let mut before = run((0..400).map(|number| shop(&format!("thing-{number}x"))));
        let mut after = run([shop("thing-1x"), shop("novelty")]);
        let [before, after] = Aggregate::rows_of_both(&mut before, &mut after);
        assert_eq!(named(&before), ["shop.example/items/{}/price 400"]);
        assert_eq!(named(&after), ["shop.example/items/{}/price 2"]);
    }

    #[test]
    fn a_service_alone_is_the_same_by_any_name() {
        let mut before = run([("127.0.0.1:40001".to_owned(), "/a".to_owned())]);
        let mut after = run([("localhost:40002".to_owned(), "/a".to_owned())]);
        let [before, after] = Aggregate::rows_of_both(&mut before, &mut after);
        assert_eq!(
            (named(&before), named(&after)),
            (vec!["localhost:40002/a 1".to_owned()], vec!["localhost:40002/a 1".to_owned()])
        );
    }

    #[test]
    fn of_several_services_a_port_may_differ_and_a_host_not() {
        let call = |authority: &str| (authority.to_owned(), "/a".to_owned());
        let mut before =
            run(["a.example:1", "b.example", "c.example:1", "d.example:1", "d.example:2"].map(call));
        let mut after = run(["a.example:2", "b.example", "e.example:1", "d.example:3"].map(call));
        let [before, after] = Aggregate::rows_of_both(&mut before, &mut after);
        assert_eq!(
            named(&before),
            ["a.example:2/a 1", "b.example/a 1", "c.example:1/a 1", "d.example:1/a 1", "d.example:2/a 1"]
        );
        assert_eq!(named(&after), ["a.example:2/a 1", "b.example/a 1", "d.example:3/a 1", "e.example:1/a 1"]);
    }
}
