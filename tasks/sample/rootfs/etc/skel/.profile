# Read by login shells of the ordinary user.
export ENV="$HOME/.ashrc"
