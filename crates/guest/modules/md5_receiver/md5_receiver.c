// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only
/**
 * DOC: md5_receiver - takes the custom segment in before the TCP stack sees it
 *
 * A frame is a custom packet when its headers say all of this, read as they stand: untagged IPv4
 * to the Ethernet address and an IPv4 address of the device, no fragment, TCP to the agreed port,
 * of the nine flags FIN alone, and a total length that leaves sixteen bytes of payload. Those
 * bytes are handed up, and the frame is consumed, so that nothing answers it.
 *
 * One that looks so and fails a check is dropped under the first reason that holds: truncated,
 * ip-checksum, tcp-checksum. Every other frame goes on untouched.
 *
 * The hook stands at ingress, not at PRE_ROUTING: the IPv4 layer, which comes before that, drops
 * frames that are cut short or have a wrong header checksum, and they could not be counted.
 *
 * /proc/net/md5_receiver gives the port and the counters; writing ``port=N`` to it agrees on
 * another port for that namespace, and port 0 passes all frames on, uncounted::
 *
 *	port 80
 *	consumed 1
 *	passed 4
 *	dropped.truncated 0
 *	dropped.ip-checksum 0
 *	dropped.tcp-checksum 0
 *	lost 0
 *
 * /proc/net/md5_receiver_events gives what happened, oldest first, and forgets it::
 *
 *	payload bytes=0102…10 src=10.0.0.1 sport=4000 dst=10.0.0.2 dport=80 dev=eth0
 *	drop reason=truncated src=10.0.0.1 sport=4000 dst=10.0.0.2 dport=80 dev=eth0
 *
 * When more than the parameter ``keep`` happens between two readings, the oldest are lost, and
 * counted.
 */

#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_netdev.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#define COUNTERS_NAME "md5_receiver"
#define EVENTS_NAME "md5_receiver_events"

#define PAYLOAD_LEN 16
/* What must have arrived of the TCP header: up to and with the flags. */
#define TCP_HEAD 14
#define TCP_FIN 0x001

static ushort port = 80;
module_param(port, ushort, 0444);
MODULE_PARM_DESC(port, "TCP port agreed on in new namespaces; 0 passes all frames on (80)");

static uint keep = 256;
module_param(keep, uint, 0444);
MODULE_PARM_DESC(keep, "events kept for a reader, for each namespace (256)");

enum reason { BAD_LENGTH, BAD_HEADER, BAD_SEGMENT, REASONS };

static const char * const reason_names[REASONS] = {
	"truncated", "ip-checksum", "tcp-checksum"
};

/* A whole custom packet, beside the reasons for which one is dropped. */
#define WHOLE REASONS

/**
 * struct event - a custom packet that arrived
 * @what: a reason for which it was dropped, or WHOLE
 * @saddr: its source
 * @daddr: its destination
 * @sport: its source port
 * @dport: its destination port
 * @bytes: its payload, when it is whole
 * @dev: the device that it came in from
 */
struct event {
	unsigned int what;
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	u8 bytes[PAYLOAD_LEN];
	char dev[IFNAMSIZ];
};

/**
 * struct receiver - the receiver of a namespace
 * @hooks: one for each Ethernet device, changed under RTNL
 * @lock: taken in softirqs
 * @port: the port agreed on
 * @consumed: custom packets handed up
 * @passed: frames that are none
 * @dropped: custom packets that failed a check
 * @lost: events that no one read in time
 * @events: a ring of the parameter keep's length
 * @first: the oldest event
 * @count: events in the ring
 */
struct receiver {
	struct list_head hooks;
	spinlock_t lock; /* over all that follows */
	u16 port;
	u64 consumed;
	u64 passed;
	u64 dropped[REASONS];
	u64 lost;
	struct event *events;
	unsigned int first;
	unsigned int count;
};

/**
 * struct hook - the hook of a device
 * @list: in the receiver's hooks
 * @ops: what netfilter knows of it
 * @rcu: to be freed once no frame is in it
 */
struct hook {
	struct list_head list;
	struct nf_hook_ops ops;
	struct rcu_head rcu;
};

static unsigned int receiver_id __read_mostly;

static bool owns(const struct net_device *dev, __be32 address)
{
	const struct in_device *in_dev = __in_dev_get_rcu(dev);
	const struct in_ifaddr *ifa;

	if (!in_dev)
		return false;
	in_dev_for_each_ifa_rcu(ifa, in_dev) {
		if (ifa->ifa_local == address)
			return true;
	}
	return false;
}

/**
 * is_custom() - judges by the headers alone
 * @skb: a frame at its network header
 * @dev: the device that it came in from
 * @port: the port agreed on
 * @iph: where its IPv4 header is left
 * @event: where its ends are left
 *
 * Return: whether it is a custom packet, right or not.
 */
static bool is_custom(const struct sk_buff *skb, const struct net_device *dev, u16 port,
		      struct iphdr *iph, struct event *event)
{
	u8 tcp[TCP_HEAD];
	unsigned int header, offset;

	if (skb->protocol != htons(ETH_P_IP) || skb_vlan_tag_present(skb) ||
	    !ether_addr_equal(eth_hdr(skb)->h_dest, dev->dev_addr))
		return false;
	if (skb_copy_bits(skb, 0, iph, sizeof(*iph)) || iph->version != 4 || iph->ihl < 5)
		return false;
	if (ip_is_fragment(iph) || iph->protocol != IPPROTO_TCP || !owns(dev, iph->daddr))
		return false;
	header = iph->ihl * 4;
	if (skb_copy_bits(skb, header, tcp, sizeof(tcp)))
		return false;
	offset = (tcp[12] >> 4) * 4;
	event->saddr = iph->saddr;
	event->daddr = iph->daddr;
	event->sport = get_unaligned((__be16 *)&tcp[0]);
	event->dport = get_unaligned((__be16 *)&tcp[2]);
	return event->dport == htons(port) &&
	       (get_unaligned_be16(&tcp[12]) & 0x1ff) == TCP_FIN &&
	       offset >= sizeof(struct tcphdr) &&
	       ntohs(iph->tot_len) == header + offset + PAYLOAD_LEN;
}

/* The checks in their order, over the bytes as they are; the payload of a packet that holds. */
static unsigned int examine(const struct sk_buff *skb, const struct iphdr *iph, u8 *bytes)
{
	unsigned int header = iph->ihl * 4, total = ntohs(iph->tot_len);
	__wsum sum;

	if (total > skb->len)
		return BAD_LENGTH;
	if (csum_fold(skb_checksum(skb, 0, header, 0)))
		return BAD_HEADER;
	/* A frame that never left the machine has its sum still to come. */
	if (skb->ip_summed != CHECKSUM_PARTIAL) {
		sum = skb_checksum(skb, header, total - header, 0);
		if (csum_tcpudp_magic(iph->saddr, iph->daddr, total - header, IPPROTO_TCP, sum))
			return BAD_SEGMENT;
	}
	if (skb_copy_bits(skb, total - PAYLOAD_LEN, bytes, PAYLOAD_LEN))
		return BAD_LENGTH;
	return WHOLE;
}

static void remember(struct receiver *receiver, const struct event *event)
{
	if (event->what == WHOLE)
		receiver->consumed++;
	else
		receiver->dropped[event->what]++;
	if (receiver->count == keep) {
		receiver->first = (receiver->first + 1) % keep;
		receiver->count--;
		receiver->lost++;
	}
	receiver->events[(receiver->first + receiver->count++) % keep] = *event;
}

static unsigned int receive(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct receiver *receiver = priv;
	u16 agreed = READ_ONCE(receiver->port);
	struct event event = {};
	struct iphdr iph;
	bool custom;

	if (!agreed)
		return NF_ACCEPT;
	custom = is_custom(skb, state->in, agreed, &iph, &event);
	if (custom) {
		event.what = examine(skb, &iph, event.bytes);
		strscpy(event.dev, state->in->name, sizeof(event.dev));
	}
	spin_lock(&receiver->lock);
	if (custom)
		remember(receiver, &event);
	else
		receiver->passed++;
	spin_unlock(&receiver->lock);
	if (!custom)
		return NF_ACCEPT;
	if (event.what != WHOLE)
		return NF_DROP;
	consume_skb(skb);
	return NF_STOLEN;
}

static int watch(struct receiver *receiver, struct net_device *dev)
{
	struct hook *hook;
	int err;

	if (dev->type != ARPHRD_ETHER)
		return 0;
	hook = kzalloc(sizeof(*hook), GFP_KERNEL);
	if (!hook)
		return -ENOMEM;
	hook->ops.hook = receive;
	hook->ops.priv = receiver;
	hook->ops.dev = dev;
	hook->ops.pf = NFPROTO_NETDEV;
	hook->ops.hooknum = NF_NETDEV_INGRESS;
	hook->ops.priority = INT_MIN;
	err = nf_register_net_hook(dev_net(dev), &hook->ops);
	if (err)
		kfree(hook);
	else
		list_add(&hook->list, &receiver->hooks);
	return err;
}

static void unwatch(struct receiver *receiver, struct net_device *dev)
{
	struct hook *hook, *next;

	list_for_each_entry_safe(hook, next, &receiver->hooks, list) {
		if (hook->ops.dev == dev) {
			list_del(&hook->list);
			nf_unregister_net_hook(dev_net(dev), &hook->ops);
			kfree_rcu(hook, rcu);
		}
	}
}

/* A device that moves between namespaces leaves the one and is registered in the other. */
static int device_event(struct notifier_block *block, unsigned long what, void *info)
{
	struct net_device *dev = netdev_notifier_info_to_dev(info);
	struct receiver *receiver = net_generic(dev_net(dev), receiver_id);

	if (what == NETDEV_REGISTER)
		return notifier_from_errno(watch(receiver, dev));
	if (what == NETDEV_UNREGISTER)
		unwatch(receiver, dev);
	return NOTIFY_DONE;
}

static struct notifier_block device_notifier = {
	.notifier_call = device_event,
};

static int counters_show(struct seq_file *seq, void *v)
{
	struct receiver *receiver = net_generic(seq_file_single_net(seq), receiver_id);
	unsigned int i;

	spin_lock_bh(&receiver->lock);
	seq_printf(seq, "port %u\n", receiver->port);
	seq_printf(seq, "consumed %llu\n", receiver->consumed);
	seq_printf(seq, "passed %llu\n", receiver->passed);
	for (i = 0; i < REASONS; i++)
		seq_printf(seq, "dropped.%s %llu\n", reason_names[i], receiver->dropped[i]);
	seq_printf(seq, "lost %llu\n", receiver->lost);
	spin_unlock_bh(&receiver->lock);
	return 0;
}

static int counters_write(struct file *file, char *line, size_t size)
{
	struct net *net = seq_file_single_net(file->private_data);
	struct receiver *receiver = net_generic(net, receiver_id);
	u16 agreed;
	int err;

	if (strncmp(line, "port=", 5))
		return -EINVAL;
	err = kstrtou16(line + 5, 10, &agreed);
	if (!err)
		WRITE_ONCE(receiver->port, agreed);
	return err;
}

static void show_event(struct seq_file *seq, const struct event *event)
{
	if (event->what == WHOLE)
		seq_printf(seq, "payload bytes=%*phN", PAYLOAD_LEN, event->bytes);
	else
		seq_printf(seq, "drop reason=%s", reason_names[event->what]);
	seq_printf(seq, " src=%pI4 sport=%u dst=%pI4 dport=%u dev=%s\n",
		   &event->saddr, ntohs(event->sport), &event->daddr, ntohs(event->dport),
		   event->dev);
}

static int events_show(struct seq_file *seq, void *v)
{
	struct receiver *receiver = net_generic(seq_file_single_net(seq), receiver_id);
	unsigned int i;

	spin_lock_bh(&receiver->lock);
	for (i = 0; i < receiver->count; i++)
		show_event(seq, &receiver->events[(receiver->first + i) % keep]);
	/* With an overflow, this is called again with more room: nothing may be gone by then. */
	if (!seq_has_overflowed(seq))
		receiver->count = 0;
	spin_unlock_bh(&receiver->lock);
	return 0;
}

static int __net_init receiver_net_init(struct net *net)
{
	struct receiver *receiver = net_generic(net, receiver_id);

	INIT_LIST_HEAD(&receiver->hooks);
	spin_lock_init(&receiver->lock);
	receiver->port = port;
	receiver->events = kvcalloc(keep, sizeof(*receiver->events), GFP_KERNEL);
	if (!receiver->events)
		return -ENOMEM;
	if (!proc_create_net_single_write(COUNTERS_NAME, 0644, net->proc_net, counters_show,
					  counters_write, NULL))
		goto no_counters;
	if (!proc_create_net_single(EVENTS_NAME, 0444, net->proc_net, events_show, NULL))
		goto no_events;
	return 0;

no_events:
	remove_proc_entry(COUNTERS_NAME, net->proc_net);
no_counters:
	kvfree(receiver->events);
	return -ENOMEM;
}

static void __net_exit receiver_net_exit(struct net *net)
{
	struct receiver *receiver = net_generic(net, receiver_id);

	remove_proc_entry(EVENTS_NAME, net->proc_net);
	remove_proc_entry(COUNTERS_NAME, net->proc_net);
	kvfree(receiver->events);
}

static struct pernet_operations receiver_net_ops = {
	.init = receiver_net_init,
	.exit = receiver_net_exit,
	.id = &receiver_id,
	.size = sizeof(struct receiver),
};

static int __init receiver_init(void)
{
	int err;

	if (!keep)
		return -EINVAL;
	err = register_pernet_subsys(&receiver_net_ops);
	if (err)
		return err;
	err = register_netdevice_notifier(&device_notifier);
	if (err)
		unregister_pernet_subsys(&receiver_net_ops);
	return err;
}

/* Between the last hook and the end of a receiver, the core waits for the frames in between. */
static void __exit receiver_exit(void)
{
	unregister_netdevice_notifier(&device_notifier);
	unregister_pernet_subsys(&receiver_net_ops);
}

module_init(receiver_init);
module_exit(receiver_exit);

MODULE_DESCRIPTION("Takes custom TCP segments in before the TCP stack sees them");
MODULE_AUTHOR("The wireproof authors");
MODULE_LICENSE("Dual MIT/GPL");
