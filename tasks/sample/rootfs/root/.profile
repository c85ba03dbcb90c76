# Read by login shells of root.
cd /root
