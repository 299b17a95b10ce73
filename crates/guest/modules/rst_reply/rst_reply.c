// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only
/**
 * DOC: rst_reply - the reset of Linux 2.6, sent by a kernel of today
 *
 * Answers a TCP segment over IPv4 as the REJECT target of Linux 2.6 did: with a copy of the
 * segment itself, edited and cut. So the reset keeps the trigger's TOS, its IPv4 options and the
 * reserved bits beside the data offset; its TTL is 255, its id 0 with DF set. The trigger is
 * dropped, answered or not; segments to other ports are dropped too.
 *
 * Stands in LOCAL_IN at the priority of the filter table.
 *
 * /proc/net/rst_reply gives the ports and the counters. Writing ``ports=1-1024,8080``, ``all``,
 * ``none`` or ``off`` to it sets them for that namespace; off lets every segment through to the
 * stack, uncounted::
 *
 *	ports 1-1024,8080
 *	resets 1
 *	silent.fragment 0
 *	silent.short 0
 *	silent.port 0
 *	silent.rst 0
 *	silent.checksum 0
 *	silent.no-route 0
 *	silent.no-memory 0
 *	silent.mtu 0
 */

#include <linux/bitmap.h>
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/route.h>

#define FILE_NAME "rst_reply"
#define PORTS 65536

static char *ports = "all";
module_param(ports, charp, 0444);
MODULE_PARM_DESC(ports, "ports rejected in new namespaces: 1-1024,8080, all, none or off (all)");

/* What became of a segment: answered, or silence for a reason. */
enum result { RESET, FRAGMENT, SHORT, PORT, RST, CHECKSUM, NO_ROUTE, NO_MEMORY, MTU, RESULTS };

static const char * const result_names[RESULTS] = {
	"resets", "silent.fragment", "silent.short", "silent.port", "silent.rst",
	"silent.checksum", "silent.no-route", "silent.no-memory", "silent.mtu"
};

/**
 * struct rejected - a set of ports
 * @rcu: to be freed once no segment is held against it
 * @ports: a bit for each
 */
struct rejected {
	struct rcu_head rcu;
	DECLARE_BITMAP(ports, PORTS);
};

/**
 * struct replier - the rejecting host of a namespace
 * @rejected: its ports; NULL lets every segment through
 * @counters: by what became of a segment
 * @hook: what netfilter knows of it
 */
struct replier {
	struct rejected __rcu *rejected;
	atomic64_t counters[RESULTS];
	struct nf_hook_ops hook;
};

static unsigned int replier_id __read_mostly;

/* The route back, from the address that the segment came for. */
static struct rtable *route_back(struct net *net, const struct iphdr *iph)
{
	struct flowi4 flow = {
		.daddr = iph->saddr,
		.saddr = iph->daddr,
		.flowi4_tos = RT_TOS(iph->tos),
	};

	return ip_route_output_key(net, &flow);
}

/* Turns the copy's TCP header into that of the reset; @len is what the segment had in all. */
static void edit_tcp(struct tcphdr *tcph, unsigned int len)
{
	/* Read before anything is written: the answer depends on the trigger's flags. */
	bool needs_ack = !tcph->ack;
	u32 end = ntohl(tcph->seq) + tcph->syn + tcph->fin + len - (tcph->doff << 2);

	swap(tcph->source, tcph->dest);
	tcph->doff = sizeof(*tcph) / 4;
	tcph->seq = needs_ack ? 0 : tcph->ack_seq;
	tcph->ack_seq = needs_ack ? htonl(end) : 0;
	/* The flag byte alone: what stands beside the data offset is echoed. */
	((u8 *)tcph)[13] = 0;
	tcph->rst = 1;
	tcph->ack = needs_ack;
	tcph->window = 0;
	tcph->urg_ptr = 0;
	tcph->check = 0;
}

/* Turns the copy's IPv4 header; TOS and options stay. */
static void edit_ip(struct iphdr *iph, unsigned int len)
{
	swap(iph->saddr, iph->daddr);
	iph->tot_len = htons(len);
	iph->id = 0;
	iph->frag_off = htons(IP_DF);
	iph->ttl = MAXTTL;
	ip_send_check(iph);
}

/* What the copy has from the trigger's way in has no meaning on its way out. */
static void forget_arrival(struct sk_buff *skb)
{
	skb_scrub_packet(skb, true);
	skb_gso_reset(skb);
	skb_clear_hash(skb);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	skb->ip_summed = CHECKSUM_NONE;
}

static enum result send_reset(struct net *net, struct sk_buff *oldskb, struct rtable *rt)
{
	unsigned int header = ip_hdrlen(oldskb);
	unsigned int len = oldskb->len - header;
	struct tcphdr *tcph;
	struct sk_buff *skb;
	struct iphdr *iph;

	/* A copy and no clone: others may be looking at the trigger. */
	skb = skb_copy_expand(oldskb, LL_RESERVED_SPACE(rt->dst.dev), skb_tailroom(oldskb),
			      GFP_ATOMIC);
	if (!skb) {
		ip_rt_put(rt);
		return NO_MEMORY;
	}
	forget_arrival(skb);
	skb_dst_set(skb, &rt->dst);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, header);
	skb_trim(skb, header + sizeof(*tcph));
	iph = ip_hdr(skb);
	tcph = tcp_hdr(skb);
	edit_tcp(tcph, len);
	edit_ip(iph, skb->len);
	tcph->check = csum_tcpudp_magic(iph->saddr, iph->daddr, sizeof(*tcph), IPPROTO_TCP,
					csum_partial(tcph, sizeof(*tcph), 0));
	if (skb->len > dst_mtu(skb_dst(skb))) {
		kfree_skb(skb);
		return MTU;
	}
	nf_ct_attach(skb, oldskb);
	ip_local_out(net, NULL, skb);
	return RESET;
}

/* Only what the segment itself says is summed, not the IPv4 header before it. */
static bool checksum_holds(const struct sk_buff *skb, const struct iphdr *iph)
{
	unsigned int header = iph->ihl * 4, len = skb->len - header;

	if (skb_csum_unnecessary(skb))
		return true;
	return !csum_tcpudp_magic(iph->saddr, iph->daddr, len, IPPROTO_TCP,
				  skb_checksum(skb, header, len, 0));
}

static enum result answer(struct net *net, struct sk_buff *skb, const struct rejected *rejected)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct tcphdr copy, *tcph;
	struct rtable *rt;

	if (iph->frag_off & htons(IP_OFFSET))
		return FRAGMENT;
	tcph = skb_header_pointer(skb, ip_hdrlen(skb), sizeof(copy), &copy);
	if (!tcph)
		return SHORT;
	if (!test_bit(ntohs(tcph->dest), rejected->ports))
		return PORT;
	if (tcph->rst)
		return RST;
	if (!checksum_holds(skb, iph))
		return CHECKSUM;
	rt = route_back(net, iph);
	if (IS_ERR(rt))
		return NO_ROUTE;
	return send_reset(net, skb, rt);
}

static unsigned int reject(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct replier *replier = priv;
	const struct rejected *rejected = rcu_dereference(replier->rejected);

	if (!rejected || ip_hdr(skb)->protocol != IPPROTO_TCP)
		return NF_ACCEPT;
	atomic64_inc(&replier->counters[answer(state->net, skb, rejected)]);
	return NF_DROP;
}

static const struct nf_hook_ops hook_template = {
	.hook = reject,
	.pf = NFPROTO_IPV4,
	.hooknum = NF_INET_LOCAL_IN,
	.priority = NF_IP_PRI_FILTER,
};

/**
 * read_ports() - reads a set of ports
 * @text: a list of ports and ranges, or one of the words all, none and off
 * @set: where it is left; NULL for off
 *
 * Return: 0 or a negative errno.
 */
static int read_ports(const char *text, struct rejected **set)
{
	struct rejected *read;
	int err = 0;

	*set = NULL;
	if (sysfs_streq(text, "off"))
		return 0;
	read = kvzalloc(sizeof(*read), GFP_KERNEL);
	if (!read)
		return -ENOMEM;
	if (sysfs_streq(text, "all"))
		bitmap_fill(read->ports, PORTS);
	else if (!sysfs_streq(text, "none"))
		err = bitmap_parselist(text, read->ports, PORTS);
	if (err)
		kvfree(read);
	else
		*set = read;
	return err;
}

static int replier_show(struct seq_file *seq, void *v)
{
	struct replier *replier = net_generic(seq_file_single_net(seq), replier_id);
	const struct rejected *rejected;
	unsigned int i;

	rcu_read_lock();
	rejected = rcu_dereference(replier->rejected);
	if (!rejected)
		seq_puts(seq, "ports off\n");
	else if (bitmap_empty(rejected->ports, PORTS))
		seq_puts(seq, "ports none\n");
	else
		seq_printf(seq, "ports %*pbl\n", PORTS, rejected->ports);
	rcu_read_unlock();
	for (i = 0; i < RESULTS; i++)
		seq_printf(seq, "%s %lld\n", result_names[i],
			   (s64)atomic64_read(&replier->counters[i]));
	return 0;
}

static int replier_write(struct file *file, char *line, size_t size)
{
	struct net *net = seq_file_single_net(file->private_data);
	struct replier *replier = net_generic(net, replier_id);
	struct rejected *set;
	int err;

	if (strncmp(line, "ports=", 6))
		return -EINVAL;
	err = read_ports(line + 6, &set);
	if (err)
		return err;
	set = unrcu_pointer(xchg(&replier->rejected, RCU_INITIALIZER(set)));
	if (set)
		kvfree_rcu(set, rcu);
	return 0;
}

static int __net_init replier_net_init(struct net *net)
{
	struct replier *replier = net_generic(net, replier_id);
	struct rejected *set;
	int err;

	err = read_ports(ports, &set);
	if (err)
		return err;
	rcu_assign_pointer(replier->rejected, set);
	if (!proc_create_net_single_write(FILE_NAME, 0644, net->proc_net, replier_show,
					  replier_write, NULL)) {
		err = -ENOMEM;
		goto no_file;
	}
	replier->hook = hook_template;
	replier->hook.priv = replier;
	err = nf_register_net_hook(net, &replier->hook);
	if (err)
		goto no_hook;
	return 0;

no_hook:
	remove_proc_entry(FILE_NAME, net->proc_net);
no_file:
	kvfree(set);
	return err;
}

/* The core waits between this and the exit for the segments that are in the hook. */
static void __net_exit replier_net_pre_exit(struct net *net)
{
	struct replier *replier = net_generic(net, replier_id);

	nf_unregister_net_hook(net, &replier->hook);
}

static void __net_exit replier_net_exit(struct net *net)
{
	struct replier *replier = net_generic(net, replier_id);

	remove_proc_entry(FILE_NAME, net->proc_net);
	kvfree(rcu_dereference_protected(replier->rejected, true));
}

static struct pernet_operations replier_net_ops = {
	.init = replier_net_init,
	.pre_exit = replier_net_pre_exit,
	.exit = replier_net_exit,
	.id = &replier_id,
	.size = sizeof(struct replier),
};

static int __init replier_init(void)
{
	return register_pernet_subsys(&replier_net_ops);
}

static void __exit replier_exit(void)
{
	unregister_pernet_subsys(&replier_net_ops);
}

module_init(replier_init);
module_exit(replier_exit);

MODULE_DESCRIPTION("Answers TCP segments with the reset of Linux 2.6");
MODULE_AUTHOR("The wireproof authors");
MODULE_LICENSE("Dual MIT/GPL");
