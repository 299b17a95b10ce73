// SPDX-License-Identifier: MIT OR Apache-2.0 OR GPL-2.0-only
/**
 * DOC: oops - a kernel that fails when told, for tests of what watches it
 *
 * Writing one of these words to /proc/oops makes it happen:
 *
 * * warn: a warning with its trace; the kernel goes on.
 * * oops: a write to nowhere; the writer dies, the kernel goes on.
 * * panic: the kernel ends.
 * * hang: the processor that the writer runs on never comes back.
 *
 * No parameters, nothing to read.
 */

#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/proc_fs.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define FILE_NAME "oops"

static ssize_t told_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	char word[16] = {};

	if (size >= sizeof(word))
		return -EINVAL;
	if (copy_from_user(word, from, size))
		return -EFAULT;
	if (sysfs_streq(word, "warn")) {
		WARN(1, "oops: told to warn\n");
	} else if (sysfs_streq(word, "oops")) {
		WRITE_ONCE(*(int *)NULL, 0);
	} else if (sysfs_streq(word, "panic")) {
		panic("oops: told to panic");
	} else if (sysfs_streq(word, "hang")) {
		preempt_disable();
		for (;;)
			cpu_relax();
	} else {
		return -EINVAL;
	}
	return size;
}

static const struct proc_ops told_ops = {
	.proc_write = told_write,
	.proc_lseek = noop_llseek,
};

static int __init told_init(void)
{
	return proc_create(FILE_NAME, 0200, NULL, &told_ops) ? 0 : -ENOMEM;
}

static void __exit told_exit(void)
{
	remove_proc_entry(FILE_NAME, NULL);
}

module_init(told_init);
module_exit(told_exit);

MODULE_DESCRIPTION("Fails when told, for tests");
MODULE_AUTHOR("The wireproof authors");
MODULE_LICENSE("Dual MIT/GPL");
