# Lists the recipes.
default:
    @just --list --unsorted

# Runs one scenario and shows its frames: just scenario fin-then-rst
scenario ID *ARGS:
    cargo run --release -q -- run {{ID}} -v {{ARGS}}

# Runs one scenario through the kernel, over veth pairs: just veth fin-then-rst
veth ID *ARGS:
    cargo run --release -q -- run {{ID}} --on veth -v {{ARGS}}

# The same with the running kernel in the place of the node that rejects: just kernel fin-then-rst
kernel ID *ARGS:
    cargo run --release -q -- run {{ID}} --on veth --swap rejecter=linux,reject=nft -v {{ARGS}}

# Runs one scenario with a guest kernel in the place of the node that rejects: just guest fin-then-rst
guest ID *ARGS:
    cargo run --release -q -- run {{ID}} --swap rejecter=guest,reject=nft -v {{ARGS}}

# Builds the kernel modules for guests: just kernel-modules --headers ~/linux
kernel-modules *ARGS:
    cargo run --release -q -- modules build {{ARGS}}

# Our side of one scenario on an interface, with a device at the other end of its cable:
# just nic eth1 fin-then-rst --arp
nic IFACE ID *ARGS:
    cargo run --release -q -- run {{ID}} --on nic --iface {{IFACE}} -v {{ARGS}}

# Runs every scenario
all *ARGS:
    cargo run --release -q -- run {{ARGS}}

# Runs every test
test *ARGS:
    cargo test --workspace {{ARGS}}

# Reviews what changed since the goldens were accepted, and carries the decisions out
review:
    -cargo test -q -p wireproof --test scenarios
    cargo insta review
    cargo run -q -- bless --reviewed

# Accepts what a run emits as its golden: just bless fin-then-rst
bless +IDS:
    cargo run -q -- bless {{IDS}}

# Shows a golden in words: just show rst/fin-then-rst
show ID *ARGS:
    cargo run -q -- show golden-pcaps/{{ID}}.pcapng {{ARGS}}

# Opens what a run emits, with its comments, in Wireshark: just wireshark fin-then-rst
wireshark ID:
    mkdir -p target/captures
    cargo run --release -q -- run {{ID}} -w target/captures/run.pcapng
    wireshark target/captures/run.pcapng

# Measures the walk and frames over veth, each against the limit of the machine
bench:
    cargo bench -p wireproof -p wireproof-veth

# Runs all scenarios through the kernel so many times and counts the verdicts: just soak 100
soak +WORDS:
    .ci/soak {{WORDS}}

# Kills the command at so many random moments and shows that nothing is left: just kills 100
kills +WORDS:
    .ci/kills {{WORDS}}

# Runs all scenarios so many times and makes one hash of all their captures: just hash 200
hash +WORDS:
    .ci/hash {{WORDS}}

# Fuzzes one target, or all of them one after the other, for so many seconds: just fuzz view 60
fuzz TARGET="all" TIME="60":
    .ci/fuzz {{TARGET}} {{TIME}}

# Plants one of so many mutants, another part each day, and tells which no test notices
mutants PARTS="100":
    .ci/mutants {{PARTS}}

# Shows that every scenario's expectations object to every change of its frames
bite *ARGS:
    cargo run --release -q -- bite {{ARGS}}

# Rewrites what is written from the code: schema, tables of fields and faults
docs:
    WIREPROOF_WRITE_DOCS=1 cargo test -q -p wireproof --test documents

# Does all that decides whether a change may land
ci:
    bash .ci/run
