// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only
/**
 * DOC: skb_sender - a TCP segment that no socket sent
 *
 * Builds one custom TCP segment in the kernel and hands it to a device: a buffer, then payload,
 * TCP header, IPv4 header, checksums and Ethernet header, each pushed in front of the last, and
 * out. It keeps no connection and knows one shape of packet.
 *
 * A line of ``name=value`` words, written to /proc/net/skb_sender, sends one frame from a device
 * of the network namespace that the file was opened in::
 *
 *	dev=eth0 eth.dst=02:00:00:00:00:02 ip4.src=10.0.0.1 ip4.dst=10.0.0.2 tcp.seq=123
 *
 * dev, eth.dst, ip4.src and ip4.dst must be there; @fields lists the rest, each of which has the
 * value of the golden frame unless the line says another. payload=HEX replaces the sixteen bytes,
 * fail=STEP makes one step of this send fail. A write that sends nothing fails with the errno of
 * the step.
 *
 * Reading the file gives the counters and what became of the last line::
 *
 *	sent 1
 *	freed 1
 *	leaked 0
 *	refused 0
 *	last failed eth 105 14 bytes wanted, 13 bytes of head room left
 *
 * sent counts frames that the device took; freed buffers whose frame never left; leaked buffers
 * that are neither; refused lines that no buffer was asked for.
 *
 * No module parameters. No state outlives the namespace.
 */

#include <linux/errno.h>
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/inet.h>
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#define FILE_NAME "skb_sender"

/* Each header, and the stand-in for an MD5 sum, in whole words of four bytes. */
#define PAYLOAD_LEN 16
#define ROOM (ALIGN(ETH_HLEN, 4) + ALIGN(sizeof(struct iphdr), 4) + \
	      ALIGN(sizeof(struct tcphdr), 4) + ALIGN(PAYLOAD_LEN, 4))

static const u8 payload[PAYLOAD_LEN] = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
};

enum layer { ETH, IP4, TCP };

enum form { NUMBER, MAC, ADDRESS };

/**
 * struct field - a header field that a line may give
 * @name: its name, the layer before the dot
 * @layer: the header it stands in
 * @form: how its value is written
 * @bit: bits from the start of the header, the most significant first
 * @width: bits
 */
struct field {
	const char *name;
	enum layer layer;
	enum form form;
	u8 bit;
	u8 width;
};

static const struct field fields[] = {
	{ "eth.dst", ETH, MAC, 0, 48 },
	{ "eth.src", ETH, MAC, 48, 48 },
	{ "eth.type", ETH, NUMBER, 96, 16 },
	{ "ip4.version", IP4, NUMBER, 0, 4 },
	{ "ip4.ihl", IP4, NUMBER, 4, 4 },
	{ "ip4.tos", IP4, NUMBER, 8, 8 },
	{ "ip4.dscp", IP4, NUMBER, 8, 6 },
	{ "ip4.ecn", IP4, NUMBER, 14, 2 },
	{ "ip4.total-length", IP4, NUMBER, 16, 16 },
	{ "ip4.id", IP4, NUMBER, 32, 16 },
	{ "ip4.flags", IP4, NUMBER, 48, 3 },
	{ "ip4.reserved", IP4, NUMBER, 48, 1 },
	{ "ip4.df", IP4, NUMBER, 49, 1 },
	{ "ip4.mf", IP4, NUMBER, 50, 1 },
	{ "ip4.fragment-offset", IP4, NUMBER, 51, 13 },
	{ "ip4.ttl", IP4, NUMBER, 64, 8 },
	{ "ip4.protocol", IP4, NUMBER, 72, 8 },
	{ "ip4.checksum", IP4, NUMBER, 80, 16 },
	{ "ip4.src", IP4, ADDRESS, 96, 32 },
	{ "ip4.dst", IP4, ADDRESS, 128, 32 },
	{ "tcp.src", TCP, NUMBER, 0, 16 },
	{ "tcp.dst", TCP, NUMBER, 16, 16 },
	{ "tcp.seq", TCP, NUMBER, 32, 32 },
	{ "tcp.ack", TCP, NUMBER, 64, 32 },
	{ "tcp.data-offset", TCP, NUMBER, 96, 4 },
	{ "tcp.reserved", TCP, NUMBER, 100, 3 },
	{ "tcp.flags", TCP, NUMBER, 103, 9 },
	{ "tcp.window", TCP, NUMBER, 112, 16 },
	{ "tcp.checksum", TCP, NUMBER, 128, 16 },
	{ "tcp.urgent", TCP, NUMBER, 144, 16 },
};

/* What stands before the buffer is asked for, and then the steps in their order. */
enum step { PARSE, DEV, ALLOC, FILL, HEAD_TCP, HEAD_IP, CHECKSUM, HEAD_ETH, XMIT, STEPS };

static const char * const step_names[STEPS] = {
	"parse", "dev", "alloc", "payload", "tcp", "ip", "checksum", "eth", "xmit"
};

/**
 * struct outcome - what became of a line
 * @step: the step that failed
 * @error: a negative errno, or 0: the frame is out
 * @reason: why, in words
 */
struct outcome {
	enum step step;
	int error;
	char reason[96];
};

/**
 * struct send - one line, read
 * @dev: the name of the device
 * @payload: what the segment carries
 * @payload_len: its bytes
 * @fail: the step that is told to fail, or STEPS
 * @count: fields given
 * @given: which, in the order of the line, and their values
 * @outcome: where a failure is told
 */
struct send {
	const char *dev;
	const u8 *payload;
	size_t payload_len;
	enum step fail;
	unsigned int count;
	struct {
		const struct field *field;
		u64 value;
	} given[ARRAY_SIZE(fields)];
	struct outcome outcome;
};

/**
 * struct sender - the sender of a namespace
 * @lock: held over a whole send, so that the file tells of one line at a time
 * @allocated: buffers asked for and given
 * @sent: frames that the device took
 * @freed: buffers whose frame never left
 * @refused: lines that no buffer was asked for
 * @used: a line was written
 * @last: what became of it
 */
struct sender {
	struct mutex lock; /* over all that follows */
	u64 allocated;
	u64 sent;
	u64 freed;
	u64 refused;
	bool used;
	struct outcome last;
};

static unsigned int sender_id __read_mostly;

static __printf(4, 5) int failed(struct send *send, enum step step, int error,
				 const char *reason, ...)
{
	struct outcome *outcome = &send->outcome;
	va_list args;

	outcome->step = step;
	outcome->error = error;
	va_start(args, reason);
	vscnprintf(outcome->reason, sizeof(outcome->reason), reason, args);
	va_end(args);
	return error;
}

/* One step that is told to fail: EIO, which no step gives of its own. */
static int ordered(struct send *send, enum step step)
{
	if (send->fail == step)
		return failed(send, step, -EIO, "told to fail");
	return 0;
}

static bool gives(const struct send *send, enum layer layer, unsigned int bit)
{
	unsigned int i;

	for (i = 0; i < send->count; i++) {
		const struct field *field = send->given[i].field;

		if (field->layer == layer && field->bit == bit)
			return true;
	}
	return false;
}

static void write_field(const struct field *field, u8 *header, u64 value)
{
	unsigned int bit = field->bit + field->width;

	while (bit-- > field->bit) {
		u8 mask = 0x80 >> (bit & 7);

		if (value & 1)
			header[bit / 8] |= mask;
		else
			header[bit / 8] &= ~mask;
		value >>= 1;
	}
}

/* The fields that the line gives of a header, over what stands there. */
static void write_given(const struct send *send, enum layer layer, void *header)
{
	unsigned int i;

	for (i = 0; i < send->count; i++) {
		if (send->given[i].field->layer == layer)
			write_field(send->given[i].field, header, send->given[i].value);
	}
}

/* It is head room, not tail room, that a push needs. */
static void *push(struct send *send, struct sk_buff *skb, enum step step, unsigned int len)
{
	unsigned int room = skb_headroom(skb);

	if (len > room) {
		failed(send, step, -ENOBUFS, "%u bytes wanted, %u bytes of head room left",
		       len, room);
		return NULL;
	}
	return memset(skb_push(skb, len), 0, len);
}

static struct sk_buff *alloc_room(struct send *send)
{
	struct sk_buff *skb;

	if (ordered(send, ALLOC))
		return NULL;
	skb = alloc_skb(ROOM, GFP_KERNEL);
	if (!skb) {
		failed(send, ALLOC, -ENOMEM, "no memory for %zu bytes", ROOM);
		return NULL;
	}
	skb_reserve(skb, ROOM);
	return skb;
}

static int build_payload(struct send *send, struct sk_buff *skb)
{
	u8 *data;

	if (ordered(send, FILL))
		return send->outcome.error;
	data = push(send, skb, FILL, send->payload_len);
	if (!data)
		return send->outcome.error;
	memcpy(data, send->payload, send->payload_len);
	return 0;
}

static int build_tcp(struct send *send, struct sk_buff *skb)
{
	struct tcphdr *th;

	if (ordered(send, HEAD_TCP))
		return send->outcome.error;
	th = push(send, skb, HEAD_TCP, sizeof(*th));
	if (!th)
		return send->outcome.error;
	skb_reset_transport_header(skb);
	th->source = htons(4000);
	th->dest = htons(80);
	th->seq = htonl(123);
	th->doff = sizeof(*th) / 4;
	th->fin = 1;
	th->window = htons(560);
	write_given(send, TCP, th);
	return 0;
}

static int build_ip(struct send *send, struct sk_buff *skb)
{
	struct iphdr *iph;

	if (ordered(send, HEAD_IP))
		return send->outcome.error;
	iph = push(send, skb, HEAD_IP, sizeof(*iph));
	if (!iph)
		return send->outcome.error;
	skb_reset_network_header(skb);
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tot_len = htons(skb->len);
	iph->frag_off = htons(IP_DF);
	iph->ttl = 64;
	iph->protocol = IPPROTO_TCP;
	write_given(send, IP4, iph);
	return 0;
}

/* Both in software, over the bytes as they are; one that the line gives stands as given. */
static int build_checksums(struct send *send, struct sk_buff *skb)
{
	struct iphdr *iph = ip_hdr(skb);
	struct tcphdr *th = tcp_hdr(skb);
	unsigned int len = skb->len - sizeof(*iph);

	if (ordered(send, CHECKSUM))
		return send->outcome.error;
	skb->ip_summed = CHECKSUM_NONE;
	if (!gives(send, TCP, offsetof(struct tcphdr, check) * 8))
		th->check = csum_tcpudp_magic(iph->saddr, iph->daddr, len, IPPROTO_TCP,
					      csum_partial(th, len, 0));
	if (!gives(send, IP4, offsetof(struct iphdr, check) * 8))
		iph->check = ip_fast_csum(iph, sizeof(*iph) / 4);
	return 0;
}

static int build_eth(struct send *send, struct sk_buff *skb, struct net_device *dev)
{
	struct ethhdr *eth;

	if (ordered(send, HEAD_ETH))
		return send->outcome.error;
	eth = push(send, skb, HEAD_ETH, ETH_HLEN);
	if (!eth)
		return send->outcome.error;
	skb_reset_mac_header(skb);
	ether_addr_copy(eth->h_source, dev->dev_addr);
	eth->h_proto = htons(ETH_P_IP);
	write_given(send, ETH, eth);
	skb->protocol = eth->h_proto;
	skb->dev = dev;
	return 0;
}

static int build(struct send *send, struct sk_buff *skb, struct net_device *dev)
{
	int err;

	err = build_payload(send, skb);
	if (!err)
		err = build_tcp(send, skb);
	if (!err)
		err = build_ip(send, skb);
	if (!err)
		err = build_checksums(send, skb);
	if (!err)
		err = build_eth(send, skb, dev);
	if (!err)
		err = ordered(send, XMIT);
	return err;
}

static int transmit(struct sender *sender, struct send *send, struct net_device *dev)
{
	struct sk_buff *skb = alloc_room(send);
	int err;

	if (!skb)
		return send->outcome.error;
	sender->allocated++;
	err = build(send, skb, dev);
	/* A queue that has nowhere to send to throws away what it is given, and reports success. */
	if (!err && !(netif_running(dev) && netif_carrier_ok(dev)))
		err = failed(send, XMIT, -ENETDOWN, "%s is down", dev->name);
	if (err) {
		sender->freed++;
		kfree_skb(skb);
		return err;
	}
	/* The buffer is the device's from here, which frees it whatever it says. */
	err = dev_queue_xmit(skb);
	if (err) {
		sender->freed++;
		return failed(send, XMIT, err > 0 ? -ENOBUFS : err,
			      "the queue of %s does not take it", dev->name);
	}
	sender->sent++;
	return 0;
}

static bool read_value(const struct field *field, const char *text, u64 *value)
{
	u8 bytes[ETH_ALEN];

	switch (field->form) {
	case MAC:
		if (!mac_pton(text, bytes))
			return false;
		*value = ether_addr_to_u64(bytes);
		return true;
	case ADDRESS:
		if (!in4_pton(text, -1, bytes, -1, NULL))
			return false;
		*value = get_unaligned_be32(bytes);
		return true;
	default:
		if (kstrtou64(text, strncmp(text, "0x", 2) ? 10 : 16, value))
			return false;
		return !(*value >> field->width);
	}
}

static int read_field(struct send *send, const char *name, const char *text)
{
	const struct field *field;
	u64 value;

	for (field = fields; field < fields + ARRAY_SIZE(fields); field++) {
		if (strcmp(field->name, name))
			continue;
		if (!read_value(field, text, &value))
			return failed(send, PARSE, -EINVAL, "%s does not hold %.40s", name, text);
		if (send->count && gives(send, field->layer, field->bit)) {
			unsigned int i;

			for (i = 0; i < send->count; i++) {
				if (send->given[i].field == field)
					return failed(send, PARSE, -EINVAL, "%s twice", name);
			}
		}
		send->given[send->count].field = field;
		send->given[send->count++].value = value;
		return 0;
	}
	return failed(send, PARSE, -EINVAL, "no field is named %.40s", name);
}

/* Hex is read over itself: two digits make one byte. */
static int read_payload(struct send *send, char *text)
{
	size_t len = strlen(text) / 2;

	if (strlen(text) % 2 || hex2bin((u8 *)text, text, len))
		return failed(send, PARSE, -EINVAL, "payload takes hex, two digits a byte");
	send->payload = (u8 *)text;
	send->payload_len = len;
	return 0;
}

static int read_word(struct send *send, char *word)
{
	char *value = strchr(word, '=');
	int step;

	if (!value)
		return failed(send, PARSE, -EINVAL, "%.40s has no value: write name=value", word);
	*value++ = '\0';
	if (!strcmp(word, "dev")) {
		send->dev = value;
		return 0;
	}
	if (!strcmp(word, "payload"))
		return read_payload(send, value);
	if (strcmp(word, "fail"))
		return read_field(send, word, value);
	for (step = ALLOC; step < STEPS; step++) {
		if (!strcmp(step_names[step], value)) {
			send->fail = step;
			return 0;
		}
	}
	return failed(send, PARSE, -EINVAL, "fail takes a step, and %.40s is none", value);
}

static int read_line(struct send *send, char *line)
{
	char *word;
	int err;

	send->payload = payload;
	send->payload_len = sizeof(payload);
	send->fail = STEPS;
	while ((word = strsep(&line, " \t\n"))) {
		err = *word ? read_word(send, word) : 0;
		if (err)
			return err;
	}
	if (!send->dev)
		return failed(send, PARSE, -EINVAL, "dev is missing");
	if (!gives(send, ETH, 0))
		return failed(send, PARSE, -EINVAL, "eth.dst is missing");
	if (!gives(send, IP4, offsetof(struct iphdr, saddr) * 8))
		return failed(send, PARSE, -EINVAL, "ip4.src is missing");
	if (!gives(send, IP4, offsetof(struct iphdr, daddr) * 8))
		return failed(send, PARSE, -EINVAL, "ip4.dst is missing");
	return 0;
}

static int send_line(struct net *net, struct sender *sender, struct send *send, char *line)
{
	struct net_device *dev;
	int err;

	err = read_line(send, line);
	if (err) {
		sender->refused++;
		return err;
	}
	dev = dev_get_by_name(net, send->dev);
	if (!dev) {
		sender->refused++;
		return failed(send, DEV, -ENODEV, "no device %.40s in this namespace", send->dev);
	}
	if (dev->type == ARPHRD_ETHER) {
		err = transmit(sender, send, dev);
	} else {
		sender->refused++;
		err = failed(send, DEV, -EPFNOSUPPORT, "%s is no Ethernet device", dev->name);
	}
	dev_put(dev);
	return err;
}

static int sender_write(struct file *file, char *line, size_t size)
{
	struct net *net = seq_file_single_net(file->private_data);
	struct sender *sender = net_generic(net, sender_id);
	struct send *send;
	int err;

	send = kzalloc(sizeof(*send), GFP_KERNEL);
	if (!send)
		return -ENOMEM;
	mutex_lock(&sender->lock);
	err = send_line(net, sender, send, line);
	sender->last = send->outcome;
	sender->used = true;
	mutex_unlock(&sender->lock);
	kfree(send);
	return err;
}

static int sender_show(struct seq_file *seq, void *v)
{
	struct sender *sender = net_generic(seq_file_single_net(seq), sender_id);
	const struct outcome *last = &sender->last;

	mutex_lock(&sender->lock);
	seq_printf(seq, "sent %llu\n", sender->sent);
	seq_printf(seq, "freed %llu\n", sender->freed);
	seq_printf(seq, "leaked %llu\n", sender->allocated - sender->sent - sender->freed);
	seq_printf(seq, "refused %llu\n", sender->refused);
	if (!sender->used)
		seq_puts(seq, "last none\n");
	else if (!last->error)
		seq_puts(seq, "last sent\n");
	else
		seq_printf(seq, "last failed %s %d %s\n", step_names[last->step], -last->error,
			   last->reason);
	mutex_unlock(&sender->lock);
	return 0;
}

static int __net_init sender_net_init(struct net *net)
{
	struct sender *sender = net_generic(net, sender_id);

	mutex_init(&sender->lock);
	if (!proc_create_net_single_write(FILE_NAME, 0644, net->proc_net, sender_show,
					  sender_write, NULL))
		return -ENOMEM;
	return 0;
}

static void __net_exit sender_net_exit(struct net *net)
{
	remove_proc_entry(FILE_NAME, net->proc_net);
}

static struct pernet_operations sender_net_ops = {
	.init = sender_net_init,
	.exit = sender_net_exit,
	.id = &sender_id,
	.size = sizeof(struct sender),
};

static int __init sender_init(void)
{
	return register_pernet_subsys(&sender_net_ops);
}

static void __exit sender_exit(void)
{
	unregister_pernet_subsys(&sender_net_ops);
}

module_init(sender_init);
module_exit(sender_exit);

MODULE_DESCRIPTION("Builds a custom TCP segment without a socket and sends it");
MODULE_AUTHOR("The wireproof authors");
MODULE_LICENSE("Dual MIT/GPL");
