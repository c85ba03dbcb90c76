# Runs during the build in the image's files, as root of a namespace and without a network.
set -e
mkdir -p /opt/appliance/state
echo "made for $KERNEL" >/opt/appliance/state/kernel
