# Sourced by setup and run, in the root of the repository: the peers, where they are installed, and
# what one of them lacks.

readonly NAMES=(postgres-es disintegrate emmett message-db umadb)
readonly SOURCES=bench/peers PEERS=$PWD/target/peers
readonly RUST=$PEERS/rust VENV=$PEERS/venv NPM=$PEERS/npm
readonly NODE_MIN=20

has() { command -v "$1" >/dev/null; }

needs() {
  case $1 in
    postgres-es | disintegrate) echo 'cargo and a C compiler; PostgreSQL' ;;
    emmett) echo "Node $NODE_MIN and npm; PostgreSQL" ;;
    message-db) echo "Node $NODE_MIN, npm and psql; PostgreSQL with pgcrypto, a user who may create a role" ;;
    umadb) echo 'cargo, a C compiler, Python 3.10 with venv, setpriv; its server comes with it' ;;
  esac
}

driver() { echo "$RUST/release/onenet-peers-$1"; }

has_driver() { [ -x "$(driver "$1")" ] || { echo 'its driver is not built'; return 1; }; }

has_node() {
  has node || { echo 'node is missing'; return 1; }
  [ "$(node -p 'process.versions.node.split(".")[0]')" -ge "$NODE_MIN" ] ||
    { echo "node is older than $NODE_MIN"; return 1; }
}

has_package() { [ -e "$NPM/node_modules/$1/package.json" ] || { echo "the npm package $1 is not installed"; return 1; }; }

# Says in one line what keeps a peer from running, and fails; says nothing if it can run.
ready() {
  case $1 in
    postgres-es | disintegrate) has_driver "$1" ;;
    emmett) has_node && has_package @event-driven-io/emmett-postgresql ;;
    message-db)
      has_node && has_package @eventide/message-db || return 1
      has psql || { echo 'psql is missing, which its installer runs'; return 1; }
      ;;
    umadb)
      has_driver "$1" || return 1
      [ -x "$VENV/bin/umadb" ] || { echo 'its server is not installed'; return 1; }
      has setpriv || { echo 'setpriv is missing, with which the server ends when its driver does'; return 1; }
      ;;
  esac
}
