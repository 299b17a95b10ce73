# What every shell at the channel is told first.
ip link set lo up

# Takes interface $1 of the machine into this namespace and calls it $2, with address $3, MTU $4.
plug() {
  nsenter -t 1 -n ip link set "$1" netns $$ &&
    ip link set "$1" name "$2" &&
    ip link set "$2" address "$3" mtu "$4" up
}

# Gives interface $2 back to the machine under its name there, $1.
unplug() {
  ip link set "$2" down &&
    ip link set "$2" name "$1" &&
    ip link set "$1" netns 1
}
