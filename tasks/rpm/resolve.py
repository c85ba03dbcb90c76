"""Resolves packages over local repositories with dnf's API (dnf 4, "DNF API Reference"), as for an empty root.

Usage: resolve.py REQUEST ANSWER, both JSON files. The request has `purpose` (`resolve`, or `find` for `missing` only), `root` (an empty
directory), `arch`, `repositories` (`id`, `path`) and `packages` (names, or what dnf takes for one). The answer has `packages`, or
`missing` (names that no repository has), or `problems` (lines of dnf's solver).
"""

import json
import sys
import urllib.parse

try:
    import dnf
except ImportError:
    print("python3 has no module dnf: install dnf 4 for this python3", file=sys.stderr)
    sys.exit(1)


def open_base(request):
    base = dnf.Base()
    conf = base.conf
    root = request["root"]
    conf.installroot = root + "/root"
    conf.cachedir = root + "/cache"
    conf.persistdir = root + "/persist"
    conf.logdir = root
    conf.reposdir = []
    conf.metadata_expire = 0
    # Weak dependencies are for the list to name.
    conf.install_weak_deps = False
    conf.substitutions["arch"] = request["arch"]
    conf.substitutions["basearch"] = request["arch"]
    conf.substitutions["releasever"] = "/"
    for repository in request["repositories"]:
        repo = dnf.repo.Repo(repository["id"], conf)
        repo.baseurl = ["file://" + urllib.parse.quote(repository["path"])]
        # The metadata was verified when it was fetched, and packages are verified when they are.
        repo.gpgcheck = False
        repo.repo_gpgcheck = False
        repo.skip_if_unavailable = False
        base.repos.add(repo)
    base.fill_sack(load_system_repo=False)
    return base


def describe(package, names):
    kind, digest = package.chksum
    return {
        "name": package.name,
        "epoch": package.epoch,
        "version": package.version,
        "release": package.release,
        "arch": package.arch,
        "repository": package.reponame,
        "location": package.location,
        "size": package.downloadsize,
        # hawkey's numbers: 3 is sha256 (libdnf, hawkey/types.h).
        "sha256": digest.hex() if len(digest) == 32 else None,
        "needs": sorted(names),
    }


def needs_of(package, chosen):
    names = set()
    for requirement in package.requires:
        # Rich dependencies have no single provider.
        if str(requirement).startswith(("rpmlib(", "(")):
            continue
        for provider in chosen.filter(provides=requirement):
            if provider.name != package.name:
                names.add(provider.name)
    return names


def resolve(request):
    base = open_base(request)
    missing = []
    for name in request["packages"]:
        try:
            base.install(name)
        except dnf.exceptions.MarkingError:
            missing.append(name)
    if missing:
        return {"missing": missing}
    if request["purpose"] == "find":
        return {"packages": []}
    try:
        base.resolve()
    except dnf.exceptions.DepsolveError as error:
        return {"problems": [line.strip() for line in str(error).split("\n") if line.strip()]}
    packages = list(base.transaction.install_set) if base.transaction else []
    chosen = base.sack.query().filter(pkg=packages)
    return {"packages": [describe(package, needs_of(package, chosen)) for package in sorted(packages)]}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    try:
        answer = resolve(request)
    except dnf.exceptions.Error as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(answer, file)


main()
