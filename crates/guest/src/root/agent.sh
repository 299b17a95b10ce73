# What every shell at the channel is told first.
ip link set lo up

# Takes interfaces of the machine into this namespace.
take() {
  nsenter -t 1 -n sh -c 'to=$0; for nic; do ip link set "$nic" netns $to || exit; done' $$ "$@"
}

# Gives interfaces back to the machine.
give() {
  for nic; do ip link set "$nic" netns 1 || return; done
}

# Brings interface $1 up with address $2 and MTU $3.
raise() {
  ip link set "$1" address "$2" mtu "$3" up
}
