// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only
/**
 * DOC: lockstep - a guest that stands still until it is told how far to go
 *
 * Gives the guest its network interfaces and a line of words to the host, and stops it, clock and
 * all, as soon as it has nothing left to do. The host then reads what the guest said, puts in what
 * it is to hear, says until when it may run, and lets it go.
 *
 * Two PCI devices of QEMU make that possible without a device of our own:
 *
 * * ivshmem-plain (1af4:1110): memory that the host has too. All data lie there; struct box.
 * * vhost-user-blk (1af4:1001): writing one byte of its configuration makes QEMU ask the host and
 *   wait for the answer within that very instruction, with QEMU's own lock held. So neither the
 *   processor nor any timer of the machine goes on. That write is the gate; nothing else of the
 *   device is used.
 *
 * A thread of the policy SCHED_IDLE stands at the gate whenever nothing else of the guest wants
 * the processor. Between gates it sleeps until the time that the host names, until a frame was
 * sent, or, when the host asks for that, until a reader of /dev/lockstep waits for words.
 *
 * One processor only: a second one would go on while the first stands at the gate.
 *
 * Parameter ``ports``: how many interfaces, eth0 and on.
 */

#include <linux/etherdevice.h>
#include <linux/hrtimer.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/sched/stat.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <uapi/linux/sched/types.h>

#define PORTS_MAX 64
#define BOX_MAGIC 0x70657473006b636cULL
#define BOX_VERSION 1
/* Where the configuration of a legacy virtio device begins, and in it that byte of a disk's. */
#define GATE_OFFSET (20 + 32)

static unsigned int ports = 1;
module_param(ports, uint, 0444);
MODULE_PARM_DESC(ports, "how many interfaces (1)");

/* A frame in the box; the next one begins at the next multiple of eight bytes. */
struct frame {
	u64 at_ns;
	u32 port;
	u32 size;
	u8 bytes[];
};

/* The memory that the host has too. crates/guest/src/lockstep/mailbox.rs is its other reader. */
struct box {
	/* Written by the guest. */
	u64 magic;
	u64 version;
	u64 now_ns;
	u64 jiffies;
	u64 tick_ns;
	u64 ports;
	u64 waiting;
	u64 words_left;
	u64 words_out;
	u64 frames_out;
	u64 lost;
	u64 frame_bytes;
	u64 unused[4];
	/* Written by the host while the guest stands at the gate. */
	u64 until_ns;
	u64 heed_reader;
	u64 words_in;
	u64 frames_in;
	u8 rest[4096 - 20 * 8];
	u8 word_in[0xf000];
	u8 word_out[0x10000];
	u8 frame_in[0x60000];
	u8 frame_out[0x80000];
};

static struct box *box;
static unsigned long gate;
static u8 gate_byte;
static struct task_struct *keeper;
static struct net_device *devices[PORTS_MAX];

/* Of words that came in: how many there are, how many of them were read. */
static size_t words_in, words_read;
static unsigned int readers_waiting;
static DEFINE_MUTEX(read_lock);
static DEFINE_MUTEX(write_lock);
static DECLARE_WAIT_QUEUE_HEAD(in_wait);
static DECLARE_WAIT_QUEUE_HEAD(out_wait);

/* Guards frames on their way out. */
static DEFINE_SPINLOCK(out_lock);
static size_t frame_out_used;

static size_t frame_room(size_t size)
{
	return ALIGN(sizeof(struct frame) + size, 8);
}

static netdev_tx_t port_xmit(struct sk_buff *skb, struct net_device *dev)
{
	u64 now = ktime_get_ns();
	unsigned long flags;
	struct frame *out;

	spin_lock_irqsave(&out_lock, flags);
	if (frame_out_used + frame_room(skb->len) > sizeof(box->frame_out)) {
		box->lost++;
		dev->stats.tx_dropped++;
	} else {
		out = (struct frame *)(box->frame_out + frame_out_used);
		out->at_ns = now;
		out->port = *(unsigned int *)netdev_priv(dev);
		out->size = skb->len;
		skb_copy_bits(skb, 0, out->bytes, skb->len);
		frame_out_used += frame_room(skb->len);
		box->frames_out++;
		dev->stats.tx_packets++;
		dev->stats.tx_bytes += skb->len;
	}
	spin_unlock_irqrestore(&out_lock, flags);
	dev_consume_skb_any(skb);
	wake_up_process(keeper);
	return NETDEV_TX_OK;
}

static const struct net_device_ops port_ops = {
	.ndo_start_xmit = port_xmit,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

/* Hands a frame to the stack as a driver does, and returns when its softirq is through. */
static void port_hear(const struct frame *in)
{
	struct net_device *dev = in->port < ports ? devices[in->port] : NULL;
	struct sk_buff *skb;

	if (!dev || !netif_running(dev) || in->size < ETH_HLEN)
		return;
	skb = netdev_alloc_skb_ip_align(dev, in->size);
	if (!skb) {
		dev->stats.rx_dropped++;
		return;
	}
	skb_put_data(skb, in->bytes, in->size);
	skb->protocol = eth_type_trans(skb, dev);
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += in->size;
	local_bh_disable();
	netif_receive_skb(skb);
	local_bh_enable();
}

/* Stands at the gate once nobody else wants the processor. */
static void hold(void)
{
	for (;;) {
		local_irq_disable();
		if (single_task_running())
			break;
		local_irq_enable();
		/* Of this policy, it soon comes behind everybody else. */
		schedule();
	}
	box->now_ns = ktime_get_ns();
	box->jiffies = get_jiffies_64();
	box->waiting = readers_waiting;
	box->words_left = words_in - words_read;
	box->frame_bytes = frame_out_used;
	/* The byte must change each time: QEMU asks the host about changes only. */
	gate_byte ^= 1;
	/* The compiler is to move no access to the box across the gate. */
	barrier();
	outb(gate_byte, gate);
	barrier();
	local_irq_enable();
}

/* Takes in what the host left in the box. */
static void hear(void)
{
	u64 frames = READ_ONCE(box->frames_in);
	size_t at = 0;

	frame_out_used = 0;
	box->frames_out = 0;
	box->words_out = 0;
	wake_up_interruptible(&out_wait);
	if (words_read == words_in && box->words_in) {
		words_read = 0;
		words_in = min_t(u64, box->words_in, sizeof(box->word_in));
		wake_up_interruptible(&in_wait);
	}
	while (frames--) {
		const struct frame *in = (const struct frame *)(box->frame_in + at);

		if (at + sizeof(*in) > sizeof(box->frame_in) ||
		    in->size > sizeof(box->frame_in) - at - sizeof(*in))
			break;
		port_hear(in);
		at += frame_room(in->size);
	}
}

/* There is something that the host wants to know at once. */
static bool has_news(void)
{
	if (READ_ONCE(box->frames_out) || READ_ONCE(box->words_out) == sizeof(box->word_out))
		return true;
	return READ_ONCE(box->heed_reader) && readers_waiting && words_read == words_in;
}

static int keep(void *unused)
{
	while (!kthread_should_stop()) {
		ktime_t until;

		hold();
		hear();
		until = ns_to_ktime(READ_ONCE(box->until_ns));
		set_current_state(TASK_IDLE);
		if (!has_news() && ktime_before(ktime_get(), until) && !kthread_should_stop())
			schedule_hrtimeout_range(&until, 0, HRTIMER_MODE_ABS);
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

static ssize_t words_to_reader(struct file *file, char __user *to, size_t size, loff_t *at)
{
	int error;

	if (mutex_lock_interruptible(&read_lock))
		return -ERESTARTSYS;
	while (words_read == words_in) {
		readers_waiting++;
		wake_up_process(keeper);
		error = wait_event_interruptible(in_wait, words_read != words_in);
		readers_waiting--;
		if (error) {
			mutex_unlock(&read_lock);
			return error;
		}
	}
	size = min(size, words_in - words_read);
	if (copy_to_user(to, box->word_in + words_read, size)) {
		mutex_unlock(&read_lock);
		return -EFAULT;
	}
	words_read += size;
	mutex_unlock(&read_lock);
	return size;
}

static ssize_t words_from_writer(struct file *file, const char __user *from, size_t size,
				 loff_t *at)
{
	int error;

	if (mutex_lock_interruptible(&write_lock))
		return -ERESTARTSYS;
	while (box->words_out == sizeof(box->word_out)) {
		wake_up_process(keeper);
		error = wait_event_interruptible(out_wait,
						 box->words_out < sizeof(box->word_out));
		if (error) {
			mutex_unlock(&write_lock);
			return error;
		}
	}
	size = min_t(size_t, size, sizeof(box->word_out) - box->words_out);
	if (copy_from_user(box->word_out + box->words_out, from, size)) {
		mutex_unlock(&write_lock);
		return -EFAULT;
	}
	box->words_out += size;
	mutex_unlock(&write_lock);
	return size;
}

static const struct file_operations words_ops = {
	.owner = THIS_MODULE,
	.read = words_to_reader,
	.write = words_from_writer,
	.llseek = noop_llseek,
};

static struct miscdevice words_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lockstep",
	.fops = &words_ops,
};

/* Finds the two devices, which no driver has taken. */
static int find_devices(void)
{
	struct pci_dev *shared = pci_get_device(0x1af4, 0x1110, NULL);
	struct pci_dev *disk = pci_get_device(0x1af4, 0x1001, NULL);
	int error = -ENODEV;

	BUILD_BUG_ON(sizeof(struct box) != 1 << 20);
	if (!shared || !disk || pci_resource_len(shared, 2) < sizeof(*box))
		goto out;
	if (!(pci_resource_flags(disk, 0) & IORESOURCE_IO))
		goto out;
	error = pci_enable_device(shared);
	if (!error)
		error = pci_enable_device(disk);
	if (error)
		goto out;
	gate = pci_resource_start(disk, 0) + GATE_OFFSET;
	box = memremap(pci_resource_start(shared, 2), sizeof(*box), MEMREMAP_WB);
	if (!box)
		error = -ENOMEM;
out:
	pci_dev_put(shared);
	pci_dev_put(disk);
	return error;
}

static void remove_ports(void)
{
	unsigned int port;

	for (port = 0; port < ports && devices[port]; port++) {
		unregister_netdev(devices[port]);
		free_netdev(devices[port]);
		devices[port] = NULL;
	}
}

static int add_port(unsigned int port)
{
	const u8 address[ETH_ALEN] = { 0x52, 0x54, 0x00, 0x77, port >> 8, port };
	struct net_device *dev = alloc_etherdev(sizeof(unsigned int));
	int error;

	if (!dev)
		return -ENOMEM;
	*(unsigned int *)netdev_priv(dev) = port;
	dev->netdev_ops = &port_ops;
	dev->max_mtu = ETH_MAX_MTU;
	/* A queue would only let frames wait for a device that is never busy. */
	dev->priv_flags |= IFF_NO_QUEUE;
	eth_hw_addr_set(dev, address);
	error = register_netdev(dev);
	if (error)
		free_netdev(dev);
	else
		devices[port] = dev;
	return error;
}

static int __init lockstep_init(void)
{
	struct sched_attr idle = { .size = sizeof(idle), .sched_policy = SCHED_IDLE };
	unsigned int port;
	int error;

	if (num_online_cpus() != 1 || ports > PORTS_MAX) {
		pr_err("lockstep: it takes one processor and at most %d ports\n", PORTS_MAX);
		return -EINVAL;
	}
	error = find_devices();
	if (error)
		return error;
	box->magic = BOX_MAGIC;
	box->version = BOX_VERSION;
	box->tick_ns = TICK_NSEC;
	box->ports = ports;
	keeper = kthread_create(keep, NULL, "lockstep");
	if (IS_ERR(keeper)) {
		error = PTR_ERR(keeper);
		goto no_keeper;
	}
	error = sched_setattr_nocheck(keeper, &idle);
	for (port = 0; port < ports && !error; port++)
		error = add_port(port);
	if (!error)
		error = misc_register(&words_device);
	if (error)
		goto no_words;
	wake_up_process(keeper);
	return 0;

no_words:
	remove_ports();
	kthread_stop(keeper);
no_keeper:
	memunmap(box);
	return error;
}

static void __exit lockstep_exit(void)
{
	misc_deregister(&words_device);
	remove_ports();
	kthread_stop(keeper);
	memunmap(box);
}

module_init(lockstep_init);
module_exit(lockstep_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Lets a guest run only as far as its host says");
