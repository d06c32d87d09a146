"""What is called: rules for members, relatives, PERV; remarks; what unread data may change."""
